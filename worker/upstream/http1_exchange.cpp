#include "worker/upstream/http1_exchange.h"

#include "shared/config/head_limits.h"
#include "worker/http1/framing.h"

namespace proxyd::upstream {
namespace {

using Kind = http::ContentLength::Kind;

constexpr size_t kResponseBuffer = 16 * 1024;
constexpr int kMostInterimHeads = 32;   // of one response

}   // namespace

Http1Exchange::Http1Exchange(std::shared_ptr<Target> target, std::unique_ptr<Connection> connection,
                             const http1::HeadRules& rules)
    : target_(std::move(target)),
      connection_(std::move(connection)),
      rules_(rules),
      input_(target_->services().buffers),
      writer_(connection_->stream(), target_->services().buffers, target_->services().pipes),
      reused_(connection_->served() > 0) {}

Http1Exchange::~Http1Exchange() {
  if (can_be_reused()) {
    target_->pool().give_back(std::move(connection_));
  } else {
    connection_->close_after_use();
  }
}

// The response complete, nothing behind it, the request sent whole, and nobody asked to close.
bool Http1Exchange::can_be_reused() const {
  return persistent_ && complete() && writer_.finished() && input_.empty() && !reader_->has_rest() &&
         !connection_->tcp().when_cut().is_set();
}

bool Http1Exchange::begin(const Request& request) {
  method_ = request.method;
  asked_to_upgrade_ = request.content.kind == Kind::kTunnel;
  const bool written = writer_.head([&request](http1::Serializer& serializer) {
    serializer.request_head(request.method_text, request.target, request.host, *request.fields, request.content);
  });
  writer_.start(request.content);
  return written;
}

// The head at the front of the input, whole or not.
Http1Exchange::Step Http1Exchange::parse() {
  if (!parser_) {
    response_.emplace(arena_);
    parser_.emplace(*response_, rules_);
  }
  const http1::Progress progress = parser_->parse(input_.unread());
  if (progress == http1::Progress::kNeedMore) return Step::kNeedMore;
  if (progress == http1::Progress::kRefused) {
    refusal_ = parser_->fault().refusal;
    fault_offset_ = parser_->fault().offset;
    return Step::kRefused;
  }
  return check_head();
}

Http1Exchange::Step Http1Exchange::check_head() {
  const auto content = http1::frame_response(*response_, method_);
  response_->connection = http1::connection_options(response_->fields);
  const bool uninvited = response_->status == 101 && !asked_to_upgrade_;
  const bool too_many_options = response_->connection.other_fields > http::ConnectionOptions::kMostOtherFields;
  if (!content || uninvited || too_many_options) {
    refusal_ = uninvited ? http::Refusal::kUnexpected101 : !content ? content.error() : http::Refusal::kHeaderCount;
    return Step::kRefused;
  }
  response_->content = *content;
  const size_t octets = parser_->consumed();
  head_octets_ += octets;
  parser_.reset();
  if (response_->is_interim()) {
    input_.consume(octets);
    if (++interim_heads_ <= kMostInterimHeads) return Step::kHead;
    refusal_ = http::Refusal::kHeaderCount;
    return Step::kRefused;
  }
  persistent_ = http1::is_persistent(response_->version, response_->connection) && response_->status != 101 &&
                !announces_content_it_cannot_have();
  input_.consume(octets);
  reader_.emplace(connection_->stream(), input_, target_->services().buffers, arena_, http1::Underscore::kPass);
  reader_->start(*content);
  if (response_->status == 101) writer_.start({Kind::kTunnel});
  return Step::kHead;
}

// 204 with a length or a coding (RFC 9110 8.6, RFC 9112 6.1): content may follow that would be taken for a response.
bool Http1Exchange::announces_content_it_cannot_have() const {
  if (response_->status != 204) return false;
  const http::Fields& fields = response_->fields;
  return fields.has(http::FieldName::kTransferEncoding) ||
         (fields.has(http::FieldName::kContentLength) && fields.value(http::FieldName::kContentLength) != "0");
}

Fault Http1Exchange::ended() const {
  if (connection_->tcp().when_cut().is_set()) return Fault::kCut;
  return input_.empty() && head_octets_ == 0 ? Fault::kClosedUnanswered : Fault::kHeadIncomplete;
}

bool Http1Exchange::make_room() {
  const std::string_view before = input_.unread();
  if (!input_.make_room(config::kLargestHead)) return false;
  if (parser_) parser_->rebase(before, input_.unread().data());
  return true;
}

Fault Http1Exchange::receive_head() {
  try {
    return receive();
  } catch (const http::ArenaExhausted&) {   // by the origin's fields, perhaps of many interim heads
    refusal_ = http::Refusal::kHeaderSize;
    return Fault::kMalformed;
  }
}

Fault Http1Exchange::receive() {
  bool parse_now = !input_.empty();
  for (;;) {
    if (parse_now) {
      const Step step = parse();
      if (step == Step::kHead) return Fault::kNone;
      if (step == Step::kRefused) return Fault::kMalformed;
    }
    if (input_.full() && !make_room()) {
      refusal_ = http::Refusal::kHeaderSize;
      return Fault::kMalformed;
    }
    const net::Moved moved = input_.read(connection_->stream(), kResponseBuffer);
    parse_now = moved.state == net::Moved::State::kSome;
    if (parse_now) continue;
    if (moved.state != net::Moved::State::kWouldBlock) return ended();
    if (input_.empty()) input_.release();
    return Fault::kPending;
  }
}

}   // namespace proxyd::upstream
