#include "worker/message/content_writer.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace proxyd::message {
namespace {

using net::Moved;
using net::Piece;
using net::PieceKinds;
using net::Taken;

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";
constexpr size_t kShortPiece = 2048;
constexpr size_t kChunkHead = 18;   // sixteen hex digits and a line end

iovec as_iovec(std::string_view text) { return {const_cast<char*>(text.data()), text.size()}; }

}   // namespace

void ContentWriter::start(http::ContentLength content) {
  content_ = content;
  left_ = content.bytes;
  chunk_left_ = 0;
  content_taken_ = 0;
  finished_ = content.is_empty();
}

// Room for `octets` behind what waits: in the buffer there is, or in a larger one.
bool ContentWriter::reserve(size_t octets) {
  if (out_ && out_.capacity() - end_ >= octets) return true;
  const size_t needed = waiting() + octets;
  if (needed > net::BufferPool::kSizes.back()) return false;
  net::Buffer larger = pool_.borrow(needed);
  if (waiting() > 0) std::memcpy(larger.data(), out_.data() + begin_, waiting());
  end_ = waiting();
  begin_ = 0;
  out_ = std::move(larger);
  return true;
}

void ContentWriter::append(std::string_view text) {
  if (text.empty() || !reserve(text.size())) return;
  std::memcpy(out_.data() + end_, text.data(), text.size());
  end_ += text.size();
}

// Of what earlier messages on the connection left unacknowledged nothing is known here; by now it has arrived.
uint64_t ContentWriter::delivered() const {
  const uint64_t on_its_way = stream_.unacknowledged();
  return sent_ > on_its_way ? sent_ - on_its_way : 0;
}

PieceKinds ContentWriter::accepts() const {
  const PieceKinds octets = PieceKinds::kBytes | PieceKinds::kStored;
  const bool can_splice = !copies_ && content_.kind != Kind::kUnknown && stream_.descriptor_to_splice_into() >= 0;
  return can_splice ? octets | PieceKinds::kSocket : octets;
}

Taken ContentWriter::take(const Piece& piece, bool last) {
  if (in_pipe_ > 0) {
    const Taken drained = drain_pipe();
    if (drained.state != Taken::State::kMore) return drained;
  }
  if (piece.kind == PieceKinds::kSocket) return take_socket(piece);
  if (piece.more.empty()) return take_octets(piece, last);
  return content_.kind == Kind::kKnown ? take_ranges(piece, last) : take_octets(piece, false);
}

void ContentWriter::count(uint64_t octets) {
  content_taken_ += octets;
  if (content_.kind == Kind::kKnown) left_ -= octets;
  if (content_.kind == Kind::kUnknown) chunk_left_ -= octets;
}

// A short piece behind a head that waits: copied, for one part costs the kernel less than several.
Taken ContentWriter::take_short(std::string_view octets, bool last) {
  append(octets);
  count(octets.size());
  finished_ = last && (content_.kind != Kind::kKnown || left_ == 0);
  return {flush().state, octets.size()};
}

// One call for what waits and all ranges.
Taken ContentWriter::take_ranges(const Piece& piece, bool last) {
  std::array<iovec, 1 + net::kMostRanges> parts;
  size_t end = 0;
  const std::string_view waits(out_.data() + begin_, waiting());
  if (!waits.empty()) parts[end++] = as_iovec(waits);
  parts[end++] = as_iovec({piece.data, piece.size});
  uint64_t size = piece.size;
  for (const std::string_view range : piece.more) {
    if (end == parts.size()) return {Taken::State::kFailed};
    parts[end++] = as_iovec(range);
    size += range.size();
  }
  if (size > left_) return {Taken::State::kFailed};
  const Moved moved = stream_.write(std::span(parts).first(end));
  if (moved.state == Moved::State::kBroken) return {Taken::State::kFailed};
  sent_ += moved.octets;
  const size_t of_waiting = std::min(moved.octets, waits.size());
  begin_ += of_waiting;
  const uint64_t of_ranges = moved.octets - of_waiting;
  count(of_ranges);
  if (waiting() == 0) {
    out_.release();
    begin_ = end_ = 0;
  }
  if (of_ranges < size) return {Taken::State::kBlocked, of_ranges};
  finished_ = last && left_ == 0;
  return {stream_.holds_back() ? Taken::State::kBlocked : Taken::State::kMore, of_ranges};
}

// One call: what waits, the piece, and what frames its end. What the kernel leaves of the framing waits for the next.
Taken ContentWriter::take_octets(const Piece& piece, bool last) {
  const bool chunked = content_.kind == Kind::kUnknown;
  if (content_.kind == Kind::kKnown && piece.size > left_) return {Taken::State::kFailed};
  if (chunked && chunk_left_ == 0 && piece.size > 0) {
    if (!reserve(kChunkHead)) return {Taken::State::kFailed};
    http1::Serializer serializer(out_.data() + end_, kChunkHead);
    serializer.chunk_start(piece.size);
    end_ += serializer.size();
    chunk_left_ = piece.size;
  }
  const std::string_view octets(piece.data, chunked ? std::min(piece.size, chunk_left_) : piece.size);
  const bool fits = octets.size() <= kShortPiece && waiting() > 0 && out_.capacity() - end_ >= octets.size();
  if (!chunked && fits) return take_short(octets, last);
  const bool ends_chunk = chunked && octets.size() == chunk_left_ && !octets.empty();
  const bool ends_content = last && octets.size() == piece.size;   // a chunk begun earlier may end within the piece
  const std::string_view waits(out_.data() + begin_, waiting());
  const std::array<iovec, 4> parts = {as_iovec(waits), as_iovec(octets), as_iovec(ends_chunk ? kLineEnd : ""),
                                      as_iovec(ends_chunk && ends_content ? kLastChunk : "")};
  const size_t first = waits.empty() ? 1 : 0;   // one part is cheaper than several of which the others are empty
  const size_t end = !ends_chunk ? 2 : ends_content ? 4 : 3;
  const Moved moved = stream_.write(std::span(parts).subspan(first, end - first));
  if (moved.state == Moved::State::kBroken) return {Taken::State::kFailed};
  size_t sent = moved.octets;
  sent_ += sent;
  const size_t of_waiting = std::min(sent, waits.size());
  begin_ += of_waiting;
  sent -= of_waiting;
  const size_t of_piece = std::min(sent, octets.size());
  sent -= of_piece;
  count(of_piece);
  const bool whole = of_piece == octets.size() && waiting() == 0;
  if (waiting() == 0) {
    out_.release();
    begin_ = end_ = 0;
  }
  if (!whole) return {Taken::State::kBlocked, of_piece};
  for (const iovec& tail : std::span(parts).subspan(2)) {
    const size_t done = std::min(sent, tail.iov_len);
    sent -= done;
    append({static_cast<const char*>(tail.iov_base) + done, tail.iov_len - done});
  }
  finished_ = ends_content && (content_.kind != Kind::kKnown || left_ == 0);
  const bool all_left = waiting() == 0 && !stream_.holds_back();
  return {all_left ? Taken::State::kMore : Taken::State::kBlocked, of_piece};
}

Taken ContentWriter::take_socket(const Piece& piece) {
  const Taken flushed = flush();
  if (flushed.state != Taken::State::kMore) return flushed;
  if (!pipe_) pipe_ = pipes_.borrow();
  if (!pipe_) {   // no descriptor is left: `accepts` says so from now on, and the octets are copied
    copies_ = true;
    return {};
  }
  const size_t size = std::min<uint64_t>(piece.size, pipe_.capacity);
  const ssize_t got = ::splice(piece.socket->spliceable_descriptor(), nullptr, pipe_.write_end.value(), nullptr, size,
                               SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (got < 0) return {errno == EAGAIN ? Taken::State::kSourceDry : Taken::State::kSourceEnded};
  if (got == 0) return {Taken::State::kSourceEnded};
  in_pipe_ = static_cast<size_t>(got);
  count(in_pipe_);
  finished_ = content_.kind == Kind::kKnown && left_ == 0;
  Taken taken = drain_pipe();
  if (taken.state == Taken::State::kFailed) return taken;
  taken.octets = static_cast<uint64_t>(got);
  return taken;
}

Taken ContentWriter::drain_pipe() {
  while (in_pipe_ > 0) {
    const ssize_t put = ::splice(pipe_.read_end.value(), nullptr, stream_.descriptor_to_splice_into(), nullptr,
                                 in_pipe_, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (put > 0) {
      in_pipe_ -= static_cast<size_t>(put);
      sent_ += static_cast<uint64_t>(put);
      continue;
    }
    if (put < 0 && errno == EAGAIN) {
      stream_.watched().filled();
      return {Taken::State::kBlocked};
    }
    if (put < 0 && errno == EINTR) continue;
    return {Taken::State::kFailed};
  }
  give_back_pipe();
  stream_.spliced();
  return {stream_.holds_back() ? Taken::State::kBlocked : Taken::State::kMore};
}

// A pipe with octets in it is closed, not reused.
void ContentWriter::give_back_pipe() {
  if (pipe_ && in_pipe_ == 0) pipes_.give_back(std::move(pipe_));
  pipe_ = {};
}

Taken ContentWriter::finish(const http::Fields* trailers) {
  if (!finished_) {
    if (content_.kind == Kind::kKnown && left_ > 0) return {Taken::State::kFailed};
    if (content_.kind == Kind::kUnknown) {
      const bool written = head([trailers](http1::Serializer& serializer) { serializer.last_chunk(trailers); });
      if (!written) return {Taken::State::kFailed};
    }
    finished_ = true;
  }
  const Taken flushed = flush();
  // The end of one side of a tunnel is handed on; the other side goes on.
  if (flushed.state == Taken::State::kMore && content_.kind == Kind::kTunnel) stream_.end_writing();
  return flushed;
}

Taken ContentWriter::flush() {
  if (in_pipe_ > 0) {
    const Taken drained = drain_pipe();
    if (drained.state != Taken::State::kMore) return drained;
  }
  while (waiting() > 0) {
    const iovec part = as_iovec({out_.data() + begin_, waiting()});
    const Moved moved = stream_.write({&part, 1});
    if (moved.state == Moved::State::kBroken) return {Taken::State::kFailed};
    if (moved.state == Moved::State::kWouldBlock) return {Taken::State::kBlocked};
    begin_ += moved.octets;
    sent_ += moved.octets;
  }
  out_.release();
  begin_ = end_ = 0;
  if (!stream_.holds_back()) return {Taken::State::kMore};
  if (stream_.push().state == Moved::State::kBroken) return {Taken::State::kFailed};
  return {stream_.holds_back() ? Taken::State::kBlocked : Taken::State::kMore};
}

}   // namespace proxyd::message
