#include "worker/caching/purge_request.h"

#include <algorithm>
#include <optional>

#include "shared/base/bytes.h"
#include "worker/caching/tags.h"
#include "worker/http/list.h"

namespace proxyd::caching {
namespace {

using Subject = PurgeRequest::Subject;
using Fault = PurgeRequest::Fault;

constexpr std::string_view kAnything = ".*";
constexpr std::string_view kOfExpressions = "*+?()|[]{}^$\\";   // a dot is common in names, and means itself there

// A field whose value is an expression that tags match.
struct PatternField {
  std::string_view name;
  bool words;   // an alternative may be a tag and nothing else
};
constexpr PatternField kPatternFields[] = {{"X-Magento-Tags-Pattern", false}, {"X-Cache-Tags-Pattern", true}};

bool is_plain(std::string_view text) { return text.find_first_of(kOfExpressions) == std::string_view::npos; }

bool take(std::string_view& text, std::string_view begin) {
  if (!text.starts_with(begin)) return false;
  text.remove_prefix(begin.size());
  return true;
}

// "((^|,)tag(,|$))" or "(^|,)tag(,|$)" off the front of `rest`: an expression for that tag in a list and no other.
std::optional<std::string_view> take_anchored(std::string_view& rest) {
  const bool grouped = take(rest, "((^|,)");
  if (!grouped && !take(rest, "(^|,)")) return std::nullopt;
  constexpr std::string_view kEnd = "(,|$)";
  const size_t end = rest.find(kEnd);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view tag = rest.substr(0, end);
  rest.remove_prefix(end + kEnd.size());
  return !grouped || take(rest, ")") ? std::optional(tag) : std::nullopt;
}

// Whatever is printable.
std::string_view decoded(std::string_view text, http::Arena& arena) {
  if (text.find('%') == std::string_view::npos) return text;
  char* const begin = arena.allocate_text(text.size());
  char* to = begin;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool encoded = text[at] == '%' && at + 2 < text.size();
    const int octet = encoded ? hex_value(text[at + 1]) * 16 + hex_value(text[at + 2]) : 0;
    const bool printable = octet > 0x20 && octet < 0x7f;
    *to++ = printable ? static_cast<char>(octet) : text[at];
    if (printable) at += 2;
  }
  return {begin, static_cast<size_t>(to - begin)};
}

std::string_view take_word(std::string_view& rest) {
  const std::string_view word = rest.substr(0, rest.find('|'));
  rest.remove_prefix(word.size());
  return word;
}

// What a request names, as its fields are gone through.
class Reader {
 public:
  Reader(const http::RequestHead& head, const config::Purge& settings) : head_(head), settings_(settings) {}

  PurgeRequest read() && {
    const http::Field* soft = head_.fields.find("Fastly-Soft-Purge");
    purge_.soft = soft && http::trim(soft->value) == "1";
    read_fields();
    const http::Field* method = head_.fields.find("X-Purge-Method");
    const std::string_view word = method ? http::trim(method->value) : std::string_view();
    if (names_tags_ || equals_ignoring_case(word, "tags"))
      finish_tags();
    else
      read_path(word);
    return std::move(purge_);
  }

 private:
  void read_fields() {
    for (const http::Field& field : head_.fields) {
      if (is_tag_field(field.name)) read_tags(field.name, field.value);
      for (const PatternField& pattern : kPatternFields) {
        if (equals_ignoring_case(field.name, pattern.name)) read_pattern(field.value, pattern);
      }
    }
  }

  bool is_tag_field(std::string_view name) const {
    return std::any_of(settings_.tags.begin(), settings_.tags.end(),
                       [name](const std::string& tag_field) { return equals_ignoring_case(tag_field, name); });
  }

  void read_tags(std::string_view name, std::string_view value) {
    names_tags_ = true;
    TagMembers members(name, value);
    std::string_view tag;
    while (members.next(tag)) {
      add(tag);
      if (tag.find('|') == std::string_view::npos) continue;
      for (std::string_view rest = tag; !rest.empty(); rest.remove_prefix(std::min<size_t>(rest.size(), 1)))
        add(take_word(rest));
    }
  }

  void read_pattern(std::string_view value, const PatternField& field) {
    names_tags_ = true;
    const std::string_view pattern = http::trim(value);
    if (pattern == kAnything) {
      purge_.with_host = true;
    } else if (!pattern.empty() && !read_whole_tags(pattern, field)) {   // those it begins with are purged as such
      purge_.expressions.push_back(pattern);
    }
  }

  bool read_whole_tags(std::string_view rest, const PatternField& field) {
    while (true) {
      const bool word = field.words && !rest.starts_with('(');
      const auto tag = word ? take_word(rest) : take_anchored(rest);
      const bool good = tag && !http::trim(*tag).empty() && is_plain(*tag);
      const bool is_alternative = rest.empty() || rest.starts_with('|');
      if (!good || !is_alternative) return false;
      // As a list of its kind divides it, for so it was stored: one of these never holds white space or a comma.
      TagMembers members(field.name, *tag);
      std::string_view part;
      while (members.next(part)) add(part);
      if (!take(rest, "|")) return true;
    }
  }

  void add(std::string_view tag) {
    if (tag.empty()) return;
    if (purge_.tags.size() == kMostPurgedTags) return fail(Fault::kTooManyTags);
    purge_.tags.push_back(tag);
  }

  void finish_tags() {
    purge_.subject = Subject::kTags;
    if (purge_.with_host) purge_.expressions.clear();   // the host is more
    if (purge_.tags.empty() && !purge_.with_host && purge_.expressions.empty()) fail(Fault::kNoTags);
  }

  void read_path(std::string_view method) {
    const http::Target& target = head_.target;
    const bool expression = equals_ignoring_case(method, "regex");
    const bool open_end = !target.has_query && target.path.ends_with(kAnything);
    if (!expression && (!open_end || !method.empty())) return;
    const std::string_view raw = target.raw_path();
    const std::string_view prefix = open_end ? target.path.substr(0, target.path.size() - kAnything.size()) : "";
    if (!open_end || !raw.ends_with(kAnything) || !is_plain(prefix)) return read_expression(target);
    purge_.folder = prefix.substr(0, prefix.rfind('/') + 1);
    purge_.subject = purge_.folder == "/" ? Subject::kHost : Subject::kFolder;
    purge_.raw_folder = raw.substr(0, raw.rfind('/') + 1);
  }

  void read_expression(const http::Target& target) {
    http::Arena& arena = head_.fields.arena();
    purge_.subject = Subject::kPaths;
    const std::string_view normal = target.has_query ? arena.concat(target.path, "?", target.query) : target.path;
    for (const std::string_view spelling : {target.raw, normal, decoded(target.raw, arena)}) {
      const auto& known = purge_.expressions;
      if (std::find(known.begin(), known.end(), spelling) == known.end()) purge_.expressions.push_back(spelling);
    }
  }

  void fail(Fault fault) {
    if (purge_.fault == Fault::kNone) purge_.fault = fault;
  }

  const http::RequestHead& head_;
  const config::Purge& settings_;
  PurgeRequest purge_;
  bool names_tags_ = false;
};

}   // namespace

PurgeRequest read_purge(const http::RequestHead& head, const config::Purge& settings) {
  return Reader(head, settings).read();
}

std::string_view explanation_of(Fault fault) {
  switch (fault) {
    case Fault::kNone: break;
    case Fault::kNoTags: return "the field that should name tags names none; nothing is purged";
    case Fault::kTooManyTags:
      static_assert(kMostPurgedTags == 1024);
      return "more than 1024 tags in one PURGE: send several; nothing is purged";
  }
  return {};
}

}   // namespace proxyd::caching
