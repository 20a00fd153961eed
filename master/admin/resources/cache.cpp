#include "master/admin/page.h"
#include "master/admin/request_question.h"
#include "master/admin/resources/handlers.h"
#include "master/cache_counts.h"

namespace proxyd::admin {
namespace {

constexpr milliseconds kMostWalked{1000};   // in one answer, however little was found

// A part of the walk over all objects, piece by piece, each asked of a worker that serves in between.
struct Walked {
  Json items = Json::array();
  uint64_t next = 0;   // 0: it was the last
  bool answered = true;
};
Walked walk(nlohmann::json question, uint64_t from, size_t limit, Context& context) {
  Walked walked{.next = from};
  const Deadline end = Deadline::at(Clock::now() + kMostWalked);
  question["question"] = "cache_objects";
  do {
    question["cursor"] = walked.next;
    question["limit"] = limit - walked.items.size();
    const auto answer = context.master.pool().ask_any(question);
    if (!answer || !answer->contains("next")) return {.answered = false};
    for (const auto& item : answer->at("items")) walked.items.push_back(Json::parse(item.dump()));
    walked.next = answer->at("next").get<uint64_t>();
  } while (walked.next != 0 && walked.items.size() < limit && !end.passed(Clock::now()));
  return walked;
}

Json ratio(double share) { return share < 0 ? Json(nullptr) : Json(share); }

Json counted(const std::map<std::string, uint64_t>& counts) {
  Json json = Json::object();
  for (const auto& [word, count] : counts) {
    if (count > 0) json[word] = count;
  }
  return json;
}

// What the requests of a route came to that were not hits.
Json reasons_of(const Json& answer, Context& context) {
  const auto name = [&answer](const char* key) {
    return answer[key].is_string() ? answer[key].get<std::string>() : "";
  };
  if (name("policy").empty()) return Json::object();
  return counted(master::reasons_of_route(context.master.regions().metrics(), name("host"), name("route")));
}

}   // namespace

// Sums over all workers and routes. What a purge took too much is an estimate: the share of stamps in use.
AdminAnswer get_cache(const AdminRequest&, Context& context) {
  master::CacheKeeper& cache = context.master.regions().cache();
  const cache::Accounts sums = cache.accounts();
  const master::CacheCounts counts = master::cache_counts(context.master.regions().metrics());
  const Json purges{{"sequence", sums.published}, {"stamps_in_use", cache.stamps_in_use()}, {"bans", cache.bans()}};
  return json_answer({{"objects", sums.objects},
                      {"bytes", sums.used},
                      {"capacity", sums.memory_limit},
                      {"ceiling", cache.ceiling()},
                      {"hit_ratio", {{"requests", ratio(counts.by_requests())}, {"bytes", ratio(counts.by_bytes())}}},
                      {"results", counted(counts.results)},
                      {"reasons", counted(counts.reasons)},
                      {"served_bytes", counts.served_bytes},
                      {"memory",
                       {{"content", sums.stored},
                        {"segments", sums.segments},
                        {"index", sums.fixed + sums.rows},
                        {"limbo", sums.limbo}}},
                      {"evicted", sums.evicted},
                      {"expired", sums.expired},
                      {"purged", sums.purged},
                      {"refused", sums.refused},
                      {"no_room", sums.no_room},
                      {"pins_full", sums.pins_full},
                      {"lock_busy", sums.lock_busy},
                      {"taken_over", sums.taken_over},
                      {"repairs", sums.shard_repairs + sums.class_repairs},
                      {"emptied_segments", sums.emptied_segments},
                      {"purges", purges}});
}

// Bounded: a page may have fewer than were asked for, and more behind its cursor.
AdminAnswer list_cached(const AdminRequest& request, Context& context) {
  const PieceRequest page = piece_of(request);
  if (page.refusal) return *page.refusal;
  nlohmann::json question;
  for (const char* key : {"host", "prefix", "tag"}) question[key] = request.value(key);
  Walked walked = walk(std::move(question), page.after, page.limit, context);
  if (!walked.answered) return problem("worker-timeout", "no worker answered");
  const std::optional<std::string> last = walked.next == 0 ? std::nullopt : std::optional(std::to_string(walked.next));
  return json_answer(page_json(std::move(walked.items), last));
}

// Asked of a worker: what it would do, by its own rules; and what was stored under other fields.
AdminAnswer look_up(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  BodyFields fields(body.json);
  check_request(fields);
  if (auto refused = fields.refusal()) return *refused;
  const RequestQuestion asked = question_of(body.json, "cache_lookup");
  if (asked.refusal) return *asked.refusal;
  const auto answered = context.master.pool().ask_any(asked.question);
  if (!answered) return problem("worker-timeout", "no worker answered");
  if (answered->contains("error")) return invalid("/url", "value", answered->at("error").get<std::string>());
  Json answer = Json::parse(answered->dump());
  answer.erase("primary_key");
  if (answer.contains("vary")) {
    Walked walked = walk({{"key", answered->at("primary_key")}}, 0, kMostInPiece, context);
    answer["variants"] = std::move(walked.items);
    answer["variants_complete"] = walked.answered && walked.next == 0;
  }
  answer["reasons"] = reasons_of(answer, context);
  return json_answer(answer);
}

}   // namespace proxyd::admin
