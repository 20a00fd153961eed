#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "worker/http2/abuse_budget.h"
#include "worker/http2/counters.h"
#include "worker/http2/ended_streams.h"
#include "worker/http2/fault.h"
#include "worker/http2/field_section.h"
#include "worker/http2/frame_rules.h"
#include "worker/http2/frame_scanner.h"
#include "worker/http2/header_block.h"
#include "worker/http2/header_decoder.h"
#include "worker/http2/last_authority.h"
#include "worker/http2/memory.h"
#include "worker/http2/outgoing.h"
#include "worker/http2/settings.h"
#include "worker/http2/stream.h"

struct nghttp2_session;

namespace proxyd::http2 {

// An HTTP/2 connection without the connection (RFC 9113): octets go in, news of streams come out; what streams have to
// say goes in, octets come out. nghttp2 drives frames, streams and windows; the rest is decided here: header blocks and
// what their fields mean, the limits, what a client may do that costs it nothing. Owned by a connection, in the worker.
//
// The way of working, which never suspends: `receive` what was read, then walk `next_news`, let the streams' owners
// work, then `produce` into a buffer and write it. No call is made from within another but for those of streams.
//
// Flow control of what is received: a stream gets its window back as its content is consumed. The connection's window
// comes back likewise, but at once for what a stream holds beyond its share, connection_window / max_streams / 4. So
// however many streams stall, they keep a quarter of that window at most and never stop the others, and no more than
// max_streams times stream_window octets wait in memory.
class Session {
 public:
  // `memory` and `counters` outlive it. The first `produce` has the connection's preface. Throws std::bad_alloc.
  Session(Role role, const Settings& settings, Memory& memory, const Counters& counters);
  ~Session();   // and its streams, released or not
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // -- receiving

  // Takes all of `octets`, which may end anywhere. False when the connection cannot go on: `fault` says why, GOAWAY
  // waits to be produced, and nothing more is looked at. Want of memory is such a fault. `now_ms`: of a monotonic
  // clock.
  bool receive(std::string_view octets, uint64_t now_ms);
  // The next stream with news, which is taken off the list; null when there are no more. In the order of arrival.
  Stream* next_news();
  // The peer's first SETTINGS have arrived, so that it does speak HTTP/2.
  bool received_preface() const { return received_preface_; }
  // Frames that have begun, whatever they are; those of one header block count as one.
  uint64_t frames_begun() const { return frames_begun_; }
  // The octets received so far end within a frame or a header block: the rest is owed.
  bool within_frame() const { return scanner_.within_frame() || rules_.within_block(); }

  // -- sending

  // Writes whole frames into `room`, as many as there are and fit; gives how many octets. A frame that would fit into
  // no such room is written in parts, so that any room gets on. 16,393 octets hold every frame.
  size_t produce(std::span<char> room);
  // There is something to produce, room and windows permitting; offers aside.
  bool has_output() const;

  // -- streams

  // Client: opens a stream; with `end` the request has no content. Null when `may_open` says no, or the head is larger
  // than what is allowed. Texts are copied.
  Stream* open(const OutgoingRequest& request, bool end);
  // Client: the peer takes another stream now.
  bool may_open() const;
  // Not yet released.
  uint32_t open_streams() const { return streams_; }
  // Client: of the peer.
  uint32_t peer_max_streams() const;
  // The peer has accepted extended CONNECT (RFC 8441).
  bool peer_takes_extended_connect() const;

  // -- the connection's life

  // Our SETTINGS are out and not acknowledged yet; the owner gives up with `fail(Fault::kSettingsTimeout)`.
  bool awaits_settings_ack() const { return settings_unacknowledged_ > 0; }
  // A PING, which the peer answers at once.
  void ping();
  // GOAWAY with the last id there is: the client is asked to open no more (RFC 9113 6.8).
  void begin_drain();
  // … with the id of the last stream that we have seen, a round trip later: later ones are not looked at.
  void end_drain();
  bool draining() const { return draining_; }
  // The peer has sent GOAWAY, or we the last one: no stream comes any more.
  bool received_goaway() const { return received_goaway_; }
  // Ends the connection with GOAWAY; its streams are told, as resets.
  void fail(Fault fault);
  Fault fault() const { return fault_; }
  // The stream whose frame the fault is in; 0: none in particular.
  int32_t fault_stream() const { return fault_stream_; }
  // All is said and done: nothing to produce and nothing to wait for. Then the connection can be closed.
  bool is_over() const;

  const AbuseBudget& budget() const { return budget_; }
  const Settings& settings() const { return settings_; }
  Role role() const { return role_; }

 private:
  friend class Stream;
  friend class SessionCallbacks;

  // -- receiving
  void pass_on(std::string_view octets);
  void give_up_for_memory();
  void scan();
  bool act_on(const Verdict& verdict, const FrameHead& frame);
  // A part of a header block; false when its frame goes on in octets to come.
  bool take_fields();
  void end_fields();
  void take_section();
  template <class Take>
  void decode(Take take);
  void reset_for(const Verdict& verdict, int32_t id);
  void judge_answers_content(const FrameHead& frame);
  void judge_closed(const FrameHead& frame);
  Stream* find(int32_t id) const;
  // The same; most likely the one that has an offer.
  Stream* sending(int32_t id) const { return offering_ && offering_->id_ == id ? offering_ : find(id); }
  void tell(Stream& stream, News news);
  // A head, content or trailers that are malformed: the stream is reset.
  void refuse(Stream& stream, http::Refusal refusal);
  void charge(Fault flood, uint32_t cost = 1);
  // Remembers the first fault; `carry_out_fault` then ends the connection, outside of nghttp2's callbacks.
  void note_fault(Fault fault, int32_t stream = 0);
  void carry_out_fault();
  void wake_blocked();
  void remember_priority(uint32_t id, std::string_view text);
  Priority early_priority(uint32_t id) const;

  // -- sending
  // Whether fields of that size are encoded here, and put behind what nghttp2 makes of the pseudo-fields.
  bool encodes(size_t size) const { return !settings_.small_heads && size <= kMostEncoded; }
  bool put(std::string_view frame, std::string_view more);
  bool put_held();
  void hold(std::string_view frame, std::string_view more);
  void let_go();
  std::string_view with_our_limits(std::string_view frame);
  void send_frames();
  void settle_offer();
  void measure_tables();

  static constexpr size_t kMostEncoded = 7 * 1024;   // so that a head is one frame

  Stream* make_stream(int32_t id);
  void destroy(Stream& stream);

  const Role role_;
  const Settings settings_;
  Memory& memory_;
  const Counters& counters_;
  const size_t share_;   // of the connection's window, for each stream
  AbuseBudget budget_;
  static constexpr uint32_t kMostPrepaid = 64;
  uint32_t prepaid_ = 0;   // PINGs and small WINDOW_UPDATEs that answer what we sent
  uint64_t now_ms_ = 0;
  uint64_t frames_begun_ = 0;

  nghttp2_session* nghttp2_ = nullptr;
  FrameScanner scanner_;
  FrameRules rules_;
  HeaderBlock block_;
  bool in_fields_ = false;   // within a frame that carries a part of it
  HeaderDecoder decoder_;
  FieldSection section_;
  LastAuthority last_authority_;
  EndedStreams ended_;
  int32_t last_reset_received_ = 0;   // the stream's id
  Stream* current_ = nullptr;         // whose header block is being received
  bool current_is_trailers_ = false;
  bool current_ends_ = false;   // its message ends with these fields
  struct EarlyPriority {        // PRIORITY_UPDATE may come before the request that it is about
    uint32_t id = 0;
    Priority priority;
  };
  std::array<EarlyPriority, 4> early_priorities_;
  size_t next_early_priority_ = 0;
  std::array<char, 64> update_;   // the payload of a PRIORITY_UPDATE; longer ones are ignored
  size_t update_size_ = 0;

  IntrusiveList<Stream, 0> all_;
  IntrusiveList<Stream, 1> news_;
  IntrusiveList<Stream, 2> blocked_;   // by the peer's windows
  uint32_t streams_ = 0;

  std::span<char> room_;   // of the `produce` that is under way
  size_t filled_ = 0;
  bool out_of_room_ = false;
  std::string_view held_;   // serialized and not written yet: in nghttp2's buffer, `preface_` or `held_memory_`
  std::span<char> held_memory_;
  std::string_view block_behind_;   // belongs behind the frame that nghttp2 has just made
  std::array<char, 64> preface_;
  Stream* offering_ = nullptr;

  uint64_t table_octets_ = 0;   // as the gauge knows them
  uint32_t settings_unacknowledged_ = 0;
  int32_t last_stream_at_fault_ = 0;
  Fault fault_ = Fault::kNone;
  int32_t fault_stream_ = 0;
  bool fault_carried_out_ = false;
  bool broken_ = false;   // nghttp2 can't be called any more
  bool received_preface_ = false;
  bool draining_ = false;
  bool received_goaway_ = false;
  bool one_by_one_ = false;   // frames are passed on
};

}   // namespace proxyd::http2
