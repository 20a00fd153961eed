#include "worker/http2/session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <memory>
#include <new>

#include "worker/http2/field_encoder.h"
#include "worker/http2/header_list.h"
#include "worker/http2/nghttp2_memory.h"
#include "worker/http2/session_callbacks.h"

namespace proxyd::http2 {
namespace {

constexpr size_t kPrefaceSize = NGHTTP2_CLIENT_MAGIC_LEN;
constexpr uint32_t kBeyondOurLimit = 1 << 20;   // of streams, see with_our_limits

struct Options {
  Options() {
    if (nghttp2_option_new(&options) != 0) throw std::bad_alloc();
  }
  ~Options() { nghttp2_option_del(options); }
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;
  nghttp2_option* options = nullptr;
};

constexpr size_t kOurTable = 4096;   // of HPACK, for what we send, however much more the peer allows

// What we do better ourselves, and with reasons, is off.
void set(nghttp2_option* options) {
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_option_set_no_http_messaging(options, 1);
  nghttp2_option_set_no_closed_streams(options, 1);
  nghttp2_option_set_max_reserved_remote_streams(options, 0);
  nghttp2_option_set_max_deflate_dynamic_table_size(options, kOurTable);
  nghttp2_option_set_user_recv_extension_type(options, NGHTTP2_PRIORITY_UPDATE);
}

}   // namespace

Session::Session(Role role, const Settings& settings, Memory& memory, const Counters& counters)
    : role_(role),
      settings_(settings),
      memory_(memory),
      counters_(counters),
      share_(settings.connection_window / std::max(settings.max_streams, 1u) / 4),
      scanner_(role == Role::kServer ? kPrefaceSize : 0),
      rules_(role),
      block_(memory),
      decoder_(memory),
      section_(settings_) {
  const Options options;
  set(options.options);
  nghttp2_mem pool = nghttp2_memory(memory);
  const auto make = role == Role::kServer ? nghttp2_session_server_new3 : nghttp2_session_client_new3;
  if (make(&nghttp2_, SessionCallbacks::table(), this, options.options, &pool) != 0) throw std::bad_alloc();
  const bool server = role == Role::kServer;
  std::array<nghttp2_settings_entry, 6> entries{{
      {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, NGHTTP2_DEFAULT_HEADER_TABLE_SIZE},   // see with_our_limits
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.max_header_list},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
      {server ? NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS : NGHTTP2_SETTINGS_ENABLE_PUSH, server ? kBeyondOurLimit : 0},
      {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
  }};
  const size_t count = entries.size() - (server && settings.extended_connect ? 0 : 1);
  nghttp2_submit_settings(nghttp2_, NGHTTP2_FLAG_NONE, entries.data(), count);
  ++settings_unacknowledged_;
  nghttp2_session_set_local_window_size(nghttp2_, NGHTTP2_FLAG_NONE, 0,
                                        static_cast<int32_t>(settings.connection_window));
}

Session::~Session() {
  nghttp2_session_del(nghttp2_);
  let_go();
  while (Stream* stream = all_.front()) destroy(*stream);
  counters_.header_tables.subtract(table_octets_);
}

Stream* Session::make_stream(int32_t id) {
  void* memory = memory_.allocate(sizeof(Stream));
  auto* stream = new (memory) Stream(*this, id);
  all_.append(*stream);
  ++streams_;
  return stream;
}

void Session::destroy(Stream& stream) {
  if (current_ == &stream) current_ = nullptr;
  if (offering_ == &stream) offering_ = nullptr;
  --streams_;
  stream.~Stream();
  memory_.release(&stream, sizeof(Stream));
}

Stream* Session::next_news() {
  Stream* stream = news_.front();
  if (stream) news_.remove(*stream);
  return stream;
}

bool Session::may_open() const {
  return role_ == Role::kClient && fault_ == Fault::kNone && !draining_ && streams_ < peer_max_streams() &&
         nghttp2_session_check_request_allowed(nghttp2_) != 0;
}

uint32_t Session::peer_max_streams() const {
  return nghttp2_session_get_remote_settings(nghttp2_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool Session::peer_takes_extended_connect() const {
  return nghttp2_session_get_remote_settings(nghttp2_, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

Stream* Session::open(const OutgoingRequest& request, bool end) {
  if (!may_open()) return nullptr;
  const auto undo = [this](Stream* unfinished) { destroy(*unfinished); };
  std::unique_ptr<Stream, decltype(undo)> stream(make_stream(0), undo);
  http::Arena& arena = stream->arena_;
  using http::bit_of;
  const bool known = request.content.kind == http::ContentLength::Kind::kKnown;
  const uint64_t unwanted = bit_of(http::FieldName::kHost) | (known ? bit_of(http::FieldName::kContentLength) : 0);
  HeaderList list(arena, unwanted);
  list.add_ready(":method", arena.copy(request.method));
  if (!request.protocol.empty()) list.add_ready(":protocol", arena.copy(request.protocol));
  list.add_ready(":scheme", arena.copy(request.scheme));
  if (!request.authority.empty()) list.add_ready(":authority", arena.copy(request.authority));   // of HTTP/1.0
  list.add_ready(":path", arena.copy(request.path));
  const size_t size = request.fields ? FieldEncoder::size_of(*request.fields) : 0;
  // What is put behind nghttp2's block has to fit into the same frame.
  const bool short_target = request.path.size() + request.authority.size() <= kMostEncoded;
  if (short_target && encodes(size)) {
    FieldEncoder encoder(arena, size + 32, unwanted);
    if (request.fields) encoder.add(*request.fields);
    if (known) encoder.add_length(request.content.bytes);
    stream->block_ = encoder.block();
  } else {
    if (request.fields) list.add(*request.fields);
    if (known) list.add_ready("content-length", arena.number(request.content.bytes));
  }
  const nghttp2_data_provider provider{{.ptr = stream.get()}, SessionCallbacks::read_content};
  stream->method_ = http::method_from(request.method);
  stream->id_ = list.too_large() ? -1
                                 : nghttp2_submit_request(nghttp2_, nullptr, list.data(), list.size(),
                                                          end ? nullptr : &provider, stream.get());
  if (stream->id_ < 0) return nullptr;
  stream->head_submitted_ = true;
  return stream.release();
}

void Session::ping() {
  if (fault_ == Fault::kNone) nghttp2_submit_ping(nghttp2_, NGHTTP2_FLAG_NONE, nullptr);
}

void Session::begin_drain() {
  draining_ = true;
  if (fault_ == Fault::kNone && role_ == Role::kServer) nghttp2_submit_shutdown_notice(nghttp2_);
}

void Session::end_drain() {
  draining_ = true;
  if (fault_ != Fault::kNone) return;
  nghttp2_submit_goaway(nghttp2_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(nghttp2_),
                        NGHTTP2_NO_ERROR, nullptr, 0);
}

void Session::fail(Fault fault) {
  note_fault(fault);
  carry_out_fault();
}

void Session::note_fault(Fault fault, int32_t stream) {
  if (fault_ != Fault::kNone) return;
  fault_ = fault;
  fault_stream_ = stream;
  last_stream_at_fault_ = nghttp2_session_get_last_proc_stream_id(nghttp2_);
  counters_.connection_errors[static_cast<size_t>(fault)].add();
}

void Session::carry_out_fault() {
  if (fault_ == Fault::kNone || fault_carried_out_) return;
  fault_carried_out_ = true;
  if (!broken_) {
    nghttp2_session_terminate_session2(nghttp2_, last_stream_at_fault_, static_cast<uint32_t>(code_of(fault_)));
  }
  for (Stream* stream = all_.front(); stream; stream = all_.after(*stream)) {
    if (stream->closed_) continue;
    const bool told = stream->reset_;
    stream->mark_reset(told ? stream->reset_code_ : code_of(fault_), told && stream->reset_by_peer_);
    stream->closed_ = true;
    nghttp2_session_set_stream_user_data(nghttp2_, stream->id_, nullptr);   // it may go before nghttp2 is done with it
    const bool unsent = role_ == Role::kClient && !stream->head_sent_;
    tell(*stream, unsent ? News::kReset | News::kClosed | News::kUnsent : News::kReset | News::kClosed);
  }
}

bool Session::is_over() const {
  if (!held_.empty()) return false;
  if (broken_) return true;
  if (nghttp2_session_want_write(nghttp2_) != 0) return false;
  return fault_ != Fault::kNone || nghttp2_session_want_read(nghttp2_) == 0;
}

}   // namespace proxyd::http2
