#include "worker/proxy/own_exchange.h"

namespace proxyd::proxy {
namespace {

using http::bit_of;
using http::FieldName;

constexpr uint64_t kOfTheClientAlone = bit_of(FieldName::kIfNoneMatch) | bit_of(FieldName::kIfModifiedSince) |
                                       bit_of(FieldName::kIfMatch) | bit_of(FieldName::kIfUnmodifiedSince) |
                                       bit_of(FieldName::kRange) | bit_of(FieldName::kIfRange);

http::Target copy_of(const http::Target& target, http::Arena& arena) {
  http::Target copy = target;
  for (std::string_view* text : {&copy.scheme, &copy.authority, &copy.raw, &copy.path, &copy.query})
    *text = arena.copy(*text);
  return copy;
}

}   // namespace

OwnExchange::OwnExchange(async::EventLoop& loop, const downstream::Exchange& model)
    : loop_(loop), head_(arena_), peer_(model.peer()), listener_(peer_.listener), nothing_(loop, "") {
  copy(model.request(), 0);
}

OwnExchange::OwnExchange(async::EventLoop& loop, const downstream::Exchange& model, std::string_view range)
    : loop_(loop), head_(arena_), peer_(model.peer()), listener_(peer_.listener), nothing_(loop, "") {
  copy(model.request(), kOfTheClientAlone);
  head_.fields.add(FieldName::kRange, arena_.copy(range));
}

void OwnExchange::copy(const http::RequestHead& head, uint64_t unwanted) {
  peer_.listener = listener_;
  head_.method = http::Method::kGet;
  head_.method_text = "GET";
  head_.version = head.version;
  head_.scheme = head.scheme;
  head_.target = copy_of(head.target, arena_);
  head_.authority = {arena_.copy(head.authority.host), head.authority.port};
  head_.connection = head.connection;
  for (const http::Field& field : head.fields) {
    if ((bit_of(field.known) & unwanted) == 0)
      head_.fields.add({arena_.copy(field.name), arena_.copy(field.value), field.known});
  }
}

}   // namespace proxyd::proxy
