#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "master/admin/page.h"
#include "master/admin/purge_request.h"
#include "master/admin/resources/handlers.h"
#include "master/purge_record.h"

namespace proxyd::admin {
namespace {

constexpr size_t kAskedAtOnce = 64;   // of one worker, whose requests wait meanwhile
constexpr PurgeRequest::Shown kRecorded{.subjects = 32, .octets = 256};   // what a record names

// What a purge writes and drops, and what is wrong with the names in it.
struct Spelled {
  cache::PurgeList list;
  std::vector<std::string> keys;
  std::vector<config::Problem> faults;
  Json warnings = Json::array();
};

// One kind of names, a part of them after the other. False: no worker answers.
bool ask_for(const char* kind, const std::vector<std::string>& names, Context& context, Spelled& spelled,
             const std::function<void(const Json&, size_t)>& take) {
  for (size_t at = 0; at < names.size(); at += kAskedAtOnce) {
    const size_t end = std::min(names.size(), at + kAskedAtOnce);
    const nlohmann::json question{
        {"question", "purge_subjects"},
        {kind, std::vector(names.begin() + static_cast<ptrdiff_t>(at), names.begin() + static_cast<ptrdiff_t>(end))}};
    const auto answer = context.master.pool().ask_any(question);
    if (!answer || !answer->contains(kind)) return false;
    const Json parts = Json::parse(answer->at(kind).dump());
    for (size_t i = 0; i < parts.size(); ++i) {
      if (parts[i].contains("error"))
        spelled.faults.push_back(
            {fmt::format("/{}/{}", kind, at + i), 0, 0, "value", parts[i]["error"].get<std::string>(), ""});
      else
        take(parts[i], at + i);
    }
  }
  return true;
}

void add_prefix(const std::string& prefix, size_t place, Spelled& spelled) {
  spelled.list.add_prefix(prefix);
  const auto folders = std::count(prefix.begin(), prefix.end(), '/') - 1;
  if (folders <= cache::kPrefixDepth) return;
  spelled.warnings.push_back({{"pointer", fmt::format("/prefixes/{}", place)},
                              {"code", "widened"},
                              {"message", fmt::format("'{}' has more than {} folders: all below the {}th is purged",
                                                      prefix, cache::kPrefixDepth, cache::kPrefixDepth)}});
}

// Nothing when no worker answers.
std::optional<Spelled> spell(const PurgeRequest& request, Context& context) {
  Spelled spelled{context.master.regions().cache().purge_list(), {}, {}};
  const auto each_text = [](const Json& part, const auto& visit) {
    for (const Json& text : part["texts"]) visit(text.get_ref<const std::string&>());
  };
  const bool answered = ask_for("urls", request.urls, context, spelled,
                                [&](const Json& part, size_t) {
                                  each_text(part, [&](const std::string& text) { spelled.list.add_url(text); });
                                  for (const Json& key : part["keys"]) spelled.keys.push_back(key.get<std::string>());
                                }) &&
                        ask_for("prefixes", request.prefixes, context, spelled,
                                [&](const Json& part, size_t place) {
                                  each_text(part, [&](const std::string& text) { add_prefix(text, place, spelled); });
                                }) &&
                        ask_for("hosts", request.hosts, context, spelled, [&](const Json& part, size_t) {
                          each_text(part, [&](const std::string& text) { spelled.list.add_host(text); });
                        });
  if (!answered) return std::nullopt;
  for (const std::string& tag : request.tags) spelled.list.add_tag(tag);
  if (request.all) spelled.list.add_everything();
  return spelled;
}

}   // namespace

// Done when its stamps are published: what follows is only a record of it.
AdminAnswer create_purge(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  const PurgeBody read = read_purge(body.json);
  if (read.refusal) return *read.refusal;
  const PurgeRequest& purge = read.request;
  if (purge.all && !request.identity.may("purge:all"))
    return problem("forbidden", "to purge all needs the scope 'purge:all'");
  const auto spelled = spell(purge, context);
  if (!spelled)
    return problem("worker-timeout",
                   "no worker answered that could spell the URLs, prefixes and hosts; nothing is purged");
  if (!spelled->faults.empty())
    return problem("invalid", spelled->faults.front().message, {{"errors", problems_json(spelled->faults)}});
  Json answer{{"mode", std::string(purge.mode_word())}, {"reason", purge.reason}};
  answer.update(purge.subjects({}));
  answer["warnings"] = spelled->warnings;
  if (request.dry_run()) return json_answer(answer);
  master::CacheKeeper& cache = context.master.regions().cache();
  const uint64_t id = context.master.records().next_id();
  const std::string time = rfc3339(std::chrono::system_clock::now());   // before: what begins later may be spared
  const auto sequence = cache.purge(spelled->list, purge.mode);
  if (!sequence) return problem("cache-busy", "other purges held the lock for longer than a second; nothing is purged");
  if (purge.mode == cache::PurgeMode::hard) cache.drop(spelled->keys);
  const std::string subjects = purge.subjects(kRecorded).dump(-1, ' ', false, Json::error_handler_t::replace);
  const store::Purge record{id, time, request.identity.name, std::string(purge.mode_word()), subjects, purge.reason};
  master::record_purge(record, context.master.records(), context.master.events());
  Json head{{"id", id}, {"sequence", *sequence}, {"effective_at", time}};
  head.update(answer);
  return json_answer(head);
}

AdminAnswer list_purges(const AdminRequest& request, Context& context) {
  const PieceRequest page = piece_of(request);
  if (page.refusal) return *page.refusal;
  const auto purges = context.master.records().purges(page.after, page.limit + 1);
  Json items = Json::array();
  for (const store::Purge& one : purges) {
    if (items.size() == page.limit) break;
    Json item{{"id", one.id}, {"effective_at", one.time}, {"author", one.author}, {"mode", one.mode}};
    const Json subjects = Json::parse(one.subjects, nullptr, false);
    if (subjects.is_object()) item.update(subjects);
    item["reason"] = one.reason;
    items.push_back(std::move(item));
  }
  const bool more = purges.size() > page.limit;
  const std::optional<std::string> last = more ? std::optional(items.back()["id"].dump()) : std::nullopt;
  return json_answer(page_json(std::move(items), last));
}

}   // namespace proxyd::admin
