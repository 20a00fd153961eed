#include <re2/re2.h>

#include <cstdlib>
#include <set>
#include <string>

#include "worker/caching/purge_request.h"

// Input: the target, then a line "name:value" each. Oracle: RE2 says that a pattern that is understood matches the tags
// that were read and none that differs by an octet; an expression is the target or the pattern as it was written; what
// Magento would send for the tags is read as the same; a path with an open end lies in its folder, with no other below
// it. What is wrong is wrong in words.
namespace {

using namespace proxyd;
using caching::PurgeRequest;
using Tags = std::set<std::string, std::less<>>;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string_view take_line(std::string_view& rest) {
  const size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return line;
}

// As names are meant: a dot stands for itself.
std::string with_plain_dots(std::string_view pattern) {
  std::string text;
  for (const char c : pattern) text += c == '.' ? std::string("\\.") : std::string(1, c);
  return text;
}

std::string without_anchors(std::string text) {
  for (const std::string_view anchor : {"(^|,)", "(,|$)"}) {
    for (size_t at = text.find(anchor); at != std::string::npos; at = text.find(anchor, at))
      text.erase(at, anchor.size());
  }
  return text;
}

void check_pattern(std::string_view pattern, const PurgeRequest& purge) {
  if (without_anchors(std::string(pattern)).find_first_of(", \t") != std::string::npos) return;   // more than the tags
  RE2::Options options(RE2::Latin1);
  options.set_log_errors(false);
  const RE2 expression(with_plain_dots(pattern), options);
  require(expression.ok());
  const Tags tags(purge.tags.begin(), purge.tags.end());
  for (const std::string& tag : tags) {
    for (const std::string& word : {tag, tag + "0", "0" + tag, tag.substr(1)}) {
      if (!word.empty()) require(RE2::PartialMatch(word, expression) == tags.contains(word));
    }
  }
}

void check_again(const PurgeRequest& purge, http::Arena& arena) {
  std::string pattern;
  for (const std::string_view tag : purge.tags) {
    if (tag.find_first_of("*+?()|[]{}^$\\, \t") != std::string_view::npos) return;
    pattern += (pattern.empty() ? "((^|,)" : "|((^|,)") + std::string(tag) + "(,|$))";
  }
  if (pattern.empty()) return;
  http::RequestHead head(arena);
  head.target = http::parse_target("/", http::Method::kPurge, arena).value();
  head.fields.add("X-Magento-Tags-Pattern", pattern);
  const PurgeRequest again = caching::read_purge(head, {});
  require(again.fault == PurgeRequest::Fault::kNone && again.tags == purge.tags);
}

void check_path(const PurgeRequest& purge, const http::Target& target) {
  using Subject = PurgeRequest::Subject;
  if (purge.subject != Subject::kFolder && purge.subject != Subject::kHost) return;
  require(target.path.ends_with(".*") && target.path.starts_with(purge.folder) &&
          target.raw.starts_with(purge.raw_folder));
  require(purge.folder.starts_with('/') && purge.folder.ends_with('/') && purge.raw_folder.ends_with('/'));
  require(target.path.find('/', purge.folder.size()) == std::string_view::npos);
  require((purge.folder == "/") == (purge.subject == Subject::kHost));
}

}   // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  http::Arena arena;
  http::RequestHead head(arena);
  const auto target = http::parse_target(take_line(rest), http::Method::kPurge, arena);
  if (!target || target->path.empty() || target->path.front() != '/') return 0;
  head.target = *target;
  std::string_view pattern;
  while (!rest.empty() && head.fields.size() < 64) {
    const std::string_view line = take_line(rest);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view value = line.substr(colon + 1);
    head.fields.add(line.substr(0, colon), value);
    if (line.substr(0, colon) == "X-Magento-Tags-Pattern") pattern = value;
  }
  const PurgeRequest purge = caching::read_purge(head, {});
  if (purge.fault != PurgeRequest::Fault::kNone) {
    require(caching::explanation_of(purge.fault).ends_with("nothing is purged"));
    return 0;
  }
  for (const std::string_view tag : purge.tags) require(!tag.empty());
  for (const std::string_view expression : purge.expressions) require(!expression.empty());
  using Subject = PurgeRequest::Subject;
  const bool names_tags = purge.subject == Subject::kTags;
  require(names_tags == (!purge.tags.empty() || purge.with_host || (names_tags && !purge.expressions.empty())));
  require(purge.subject != Subject::kPaths || purge.expressions.front() == head.target.raw);
  const bool whole_tags = purge.expressions.empty() && !purge.with_host;
  if (head.fields.size() == 1 && pattern.data() && whole_tags) check_pattern(pattern, purge);
  check_again(purge, arena);
  check_path(purge, *target);
  return 0;
}
