#include "worker/caching/vary.h"

#include <algorithm>
#include <array>

#include "shared/base/bytes.h"
#include "worker/caching/accept.h"
#include "worker/caching/field_lines.h"
#include "worker/http/characters.h"
#include "worker/http/list.h"

namespace proxyd::caching {
namespace {

using http::FieldName;

constexpr std::string_view kAcceptLanguage = "accept-language";

// Words in order, each once, at most so many.
template <size_t kMost>
struct Words {
  std::array<std::string_view, kMost> words{};
  size_t count = 0;

  bool add(std::string_view word) {
    auto* const end = words.begin() + count;
    auto* const place = std::lower_bound(words.begin(), end, word);
    if (place != end && *place == word) return true;
    if (count == kMost) return false;
    std::move_backward(place, end, end + 1);
    *place = word;
    ++count;
    return true;
  }
  std::string_view joined(char separator, http::Arena& arena) const {
    size_t size = 0;
    for (size_t i = 0; i < count; ++i) size += words[i].size() + 1;
    char* const text = arena.allocate_text(size);
    char* to = text;
    for (size_t i = 0; i < count; ++i) {
      if (i > 0) *to++ = separator;
      to = put_octets(to, words[i]);
    }
    return {text, static_cast<size_t>(to - text)};
  }
};

// A vary list taken apart.
struct Parts {
  Words<kMostVaryNames> names;
  Words<kMostVaryLanguages> languages;

  bool add_list(std::string_view list) {
    while (!list.empty()) {
      const size_t comma = list.find(',');
      std::string_view name = list.substr(0, comma);
      list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
      const size_t sign = name.find('=');
      if (sign != std::string_view::npos) {
        add_languages(name.substr(sign + 1));
        name = name.substr(0, sign);
      }
      if (!names.add(name)) return false;
    }
    return true;
  }
  void add_languages(std::string_view known) {
    while (!known.empty()) {
      const size_t bar = known.find('|');
      languages.add(known.substr(0, bar));   // one too many is only not known
      known = bar == std::string_view::npos ? std::string_view() : known.substr(bar + 1);
    }
  }
  std::string_view text(http::Arena& arena) {
    if (languages.count > 0) {
      const std::string_view known = languages.joined('|', arena);
      for (std::string_view& name : names.words) {
        if (name == kAcceptLanguage) name = arena.concat(kAcceptLanguage, "=", known);
      }
    }
    return names.joined(',', arena);
  }
};

bool is_token(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return http::is_in(c, http::character::kToken); });
}

std::string_view lower(std::string_view text, http::Arena& arena) {
  char* const copy = arena.allocate_text(text.size());
  std::transform(text.begin(), text.end(), copy, ascii_lower);
  return {copy, text.size()};
}

// A comma is an octet of them like others. They come in one line; as more, they are told apart from one by the comma.
bool is_no_list(std::string_view name) {
  return name == "cookie" || name == "authorization" || name == "user-agent" || name == "referer";
}

// A field whose meaning we don't know: its lines as one list, without white space around commas.
std::string_view normal_list(std::string_view value, http::Arena& arena) {
  if (value.find(',') == std::string_view::npos) return http::trim(value);
  char* const text = arena.allocate_text(value.size());
  char* to = text;
  http::ListMembers members(value);
  std::string_view member;
  while (members.next(member)) {
    if (to != text) *to++ = ',';
    to = put_octets(to, member);
  }
  return {text, static_cast<size_t>(to - text)};
}

// One name of a vary list and what the request says there.
struct Selector {
  std::string_view name;
  std::string_view value;
  bool present = false;
};

Selector select(std::string_view name, const http::Fields& request_fields) {
  http::Arena& arena = request_fields.arena();
  const size_t sign = name.find('=');
  const std::string_view languages = sign == std::string_view::npos ? std::string_view() : name.substr(sign + 1);
  name = name.substr(0, sign);
  if (name == "accept-encoding") return {name, coding_class(request_fields).text(), true};
  const std::string_view value = combined_lines(request_fields, name);
  if (!value.data()) return {name, {}, false};
  if (name == kAcceptLanguage) return {name, normal_language_ranges(value, languages, arena), true};
  return {name, is_no_list(name) ? http::trim(value) : normal_list(value, arena), true};
}

}   // namespace

std::optional<std::string_view> vary_list(const http::Fields& response_fields, const Policy& policy) {
  if (policy.ignore_vary || !response_fields.has(FieldName::kVary)) return "";
  http::Arena& arena = response_fields.arena();
  Parts parts;
  http::ListMembers members(response_fields.combined(FieldName::kVary));
  std::string_view member;
  while (members.next(member)) {
    if (member == "*" || !is_token(member)) return std::nullopt;
    const std::string_view name = lower(member, arena);
    if (name == "cookie" && policy.ignore_cookies) continue;
    if (!parts.names.add(name)) return std::nullopt;
    if (name != kAcceptLanguage) continue;
    const std::string_view language = lower(combined_lines(response_fields, "Content-Language"), arena);
    if (is_language_tag(language)) parts.languages.add(language);
  }
  return parts.text(arena);
}

std::optional<std::string_view> merge_vary_lists(std::string_view one, std::string_view other, http::Arena& arena) {
  if (one == other || other.empty()) return one;
  if (one.empty()) return other;
  Parts parts;
  if (!parts.add_list(one) || !parts.add_list(other)) return std::nullopt;
  return parts.text(arena);
}

std::optional<std::string_view> secondary_key(std::string_view list, const http::Fields& request_fields) {
  std::array<Selector, kMostVaryNames> selectors;
  size_t count = 0;
  size_t size = 0;
  while (!list.empty() && count < kMostVaryNames) {
    const size_t comma = list.find(',');
    selectors[count] = select(list.substr(0, comma), request_fields);
    size += selectors[count].name.size() + selectors[count].value.size() + 2;
    ++count;
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  if (size > kMostSecondaryKey) return std::nullopt;
  char* const text = request_fields.arena().allocate_text(size);
  char* to = text;
  for (size_t i = 0; i < count; ++i) {
    *to++ = '\n';   // no field value holds one
    to = put_octets(to, selectors[i].name);
    if (!selectors[i].present) continue;
    *to++ = ':';
    to = put_octets(to, selectors[i].value);
  }
  return std::string_view(text, static_cast<size_t>(to - text));
}

bool is_in_favourite_language(std::string_view key, std::string_view answered) {
  constexpr std::string_view kFavourite = "\naccept-language:=";
  const size_t at = key.find(kFavourite);
  if (at == std::string_view::npos) return true;
  key = key.substr(at + kFavourite.size());
  const std::string_view favourite = key.substr(0, key.find('\n'));
  while (!answered.empty()) {
    const size_t comma = answered.find(',');
    const std::string_view entry = answered.substr(0, comma);
    if (entry.starts_with("accept-language=")) return entry.substr(entry.find('=') + 1) == favourite;
    answered = comma == std::string_view::npos ? std::string_view() : answered.substr(comma + 1);
  }
  return true;
}

bool names_field(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view entry = list.substr(0, comma);
    if (entry.substr(0, entry.find('=')) == name) return true;
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return false;
}

}   // namespace proxyd::caching
