#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "worker/caching/freshness.h"
#include "worker/http/date.h"
#include "worker/http/head.h"

namespace proxyd::caching {

using Lines = std::initializer_list<std::pair<std::string_view, std::string_view>>;

inline constexpr int64_t kNowSeconds = 1'795'000'000;   // in November 2026
inline constexpr Moment kNow{5'000'000, kNowSeconds * 1000 + 250};

inline Moment after(Moment from, int64_t seconds) { return {from.steady + seconds * 1000, from.wall + seconds * 1000}; }

// The date so many seconds from kNow.
inline std::string date_text(int64_t seconds) {
  const auto text = http::format_date(kNowSeconds + seconds);
  return {text.data(), text.size()};
}

// Messages as a test writes them; their texts live as long as it does.
class Messages {
 public:
  http::RequestHead request(Lines lines = {}, std::string_view method = "GET", std::string_view path = "/a") {
    http::RequestHead head(arena_);
    head.method = http::method_from(method);
    head.method_text = method;
    head.target.path = path;
    head.authority.host = "a.test";
    add(head.fields, lines);
    return head;
  }
  http::ResponseHead response(Lines lines = {}, int status = 200) {
    http::ResponseHead head(arena_);
    head.status = status;
    add(head.fields, lines);
    return head;
  }
  http::Fields fields(Lines lines) {
    http::Fields made(arena_);
    add(made, lines);
    return made;
  }
  http::Arena& arena() { return arena_; }

 private:
  void add(http::Fields& to, Lines lines) {
    for (const auto& [name, value] : lines) to.add(arena_.copy(name), value.empty() ? "" : arena_.copy(value));
  }
  http::Arena arena_;
};

}   // namespace proxyd::caching
