#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/worker/caching/messages.h"
#include "worker/caching/bypass.h"
#include "worker/caching/cache_key.h"
#include "worker/caching/invalidation.h"
#include "worker/caching/reuse.h"
#include "worker/caching/revalidation.h"
#include "worker/caching/vary.h"
#include "worker/http/preconditions.h"

namespace proxyd::caching {

// A cache of maps that does nothing but follow the rules, so that a test can see them work together. The origin's next
// answer is set beforehand and stays; time passes when it is told to.
class SmallCache {
 public:
  using OwnedLines = std::vector<std::pair<std::string, std::string>>;

  struct Origin {
    int status = 200;
    OwnedLines lines;
    std::string content = "content";
    bool validates = true;   // answers 304 to the ETag or Last-Modified that it has
  };

  struct Seen {
    int status = 0;
    std::string content;
    OwnedLines lines;
    bool asked = false;   // the origin was
    OwnedLines asked_with;
    Reason reason = Reason::kNone;

    bool cached() const { return !asked && status != 0; }
    std::string field(std::string_view name) const { return find(lines, name); }
    std::string asked_field(std::string_view name) const { return find(asked_with, name); }

   private:
    static std::string find(const OwnedLines& in, std::string_view name) {
      for (const auto& [key, value] : in) {
        if (equals_ignoring_case(key, name)) return value;
      }
      return "absent";
    }
  };

  Policy policy;
  Origin origin;

  void pass(int64_t seconds) { now_ = after(now_, seconds); }
  // A step of the wall clock alone.
  void step(int64_t seconds) { now_.wall += seconds * 1000; }
  std::string date(int64_t seconds_from_now) const {
    const auto text = http::format_date(now_.wall_seconds() + seconds_from_now);
    return {text.data(), text.size()};
  }

  Seen get(OwnedLines lines = {}, std::string_view path = "/a") { return fetch("GET", std::move(lines), path); }
  Seen fetch(std::string_view method, OwnedLines lines = {}, std::string_view path = "/a") {
    http::Arena arena;
    http::RequestHead request(arena);
    request.method = http::method_from(method);
    request.method_text = method;
    request.target = *http::parse_target(path, http::Method::kGet, arena);
    for (const auto& [name, value] : lines) request.fields.add(name, value);
    const Url url{http::Scheme::kHttp, "a.test", request.target.path, request.target.query, request.target.has_query};
    Exchange exchange{request, url, arena, {}};
    answer(exchange);
    return exchange.seen;
  }

 private:
  struct Stored {
    Freshness freshness;
    OwnedLines lines;
    std::string content;
    std::optional<http::ContentRange> part;
  };

  struct Exchange {
    const http::RequestHead& request;
    Url url;
    http::Arena& arena;
    Seen seen;
  };

  static http::Fields fields_of(const OwnedLines& lines, http::Arena& arena) {
    http::Fields fields(arena);
    for (const auto& [name, value] : lines) fields.add(arena.copy(name), value.empty() ? "" : arena.copy(value));
    return fields;
  }
  static OwnedLines owned(const http::Fields& fields) {
    OwnedLines lines;
    for (const http::Field& field : fields) lines.emplace_back(field.name, field.value);
    return lines;
  }

  std::string primary_key(const Exchange& exchange, const Url& url) {
    return std::string(cache_key(url, exchange.request.fields, policy.key, {})->text);
  }
  std::string variant_key(const Exchange& exchange, const std::string& primary) {
    const auto list = lists_.find(primary);
    const std::string_view names = list == lists_.end() ? std::string_view() : list->second;
    return primary + "\n" + std::string(*secondary_key(names, exchange.request.fields));
  }

  void answer(Exchange& exchange) {
    exchange.seen.reason = why_bypassed(exchange.request, policy);
    if (exchange.seen.reason != Reason::kNone) return pass_by(exchange);
    const CacheControl directives = request_directives(exchange.request.fields, policy);
    const auto found = stored_.find(variant_key(exchange, primary_key(exchange, exchange.url)));
    if (found == stored_.end()) {
      exchange.seen.reason = Reason::kMiss;
      if (use_of_nothing(directives) == Use::kGatewayTimeout)
        exchange.seen.status = 504;
      else
        ask(exchange, nullptr, directives);
      return;
    }
    if (lacks_what_is_asked(exchange, found->second)) {
      exchange.seen.reason = Reason::kPartial;
      ask(exchange, nullptr, directives, completing_range(*found->second.part, exchange.arena));
      return;
    }
    const Reuse reuse = decide_reuse(found->second.freshness, directives, false, now_.steady);
    exchange.seen.reason = reuse.reason;
    if (reuse.use == Use::kGatewayTimeout) {
      exchange.seen.status = 504;
    } else if (!reuse.served()) {
      ask(exchange, &found->second, directives);
    } else {
      serve(exchange, found->second);
      if (reuse.use == Use::kServeAndRevalidate) revalidate(exchange, found->second, directives);
    }
  }

  static bool lacks_what_is_asked(const Exchange& exchange, const Stored& stored) {
    if (!stored.freshness.has(Freshness::kPartial)) return false;
    return !stored.part || !range_within(exchange.request.fields.value(http::FieldName::kRange), *stored.part);
  }

  void revalidate(const Exchange& exchange, Stored& stored, const CacheControl& directives) {
    Exchange background{exchange.request, exchange.url, exchange.arena, {}};
    ask(background, &stored, directives);
  }

  void pass_by(Exchange& exchange) {
    const http::ResponseHead response = ask_origin(exchange, exchange.request.fields);
    const Invalidation invalidated = invalidated_by(exchange.request, response, exchange.url);
    for (const Url& url : invalidated.urls()) forget(exchange, url);
    relay(exchange, response);
    if (exchange.request.method == http::Method::kPost) store(exchange, response);
  }

  void forget(const Exchange& exchange, const Url& url) {
    const std::string primary = primary_key(exchange, url) + "\n";
    std::erase_if(stored_, [&](const auto& entry) { return entry.first.starts_with(primary); });
  }

  static StoredValidators validators_of(const Stored& stored) {
    StoredValidators validators;
    for (const auto& [name, value] : stored.lines) {
      if (equals_ignoring_case(name, "ETag")) validators.etag = value;
      if (equals_ignoring_case(name, "Last-Modified")) validators.last_modified = value;
    }
    return validators;
  }

  void ask(Exchange& exchange, Stored* stored, const CacheControl& directives, std::string_view lacking = {}) {
    const StoredValidators validators = stored ? validators_of(*stored) : StoredValidators{};
    http::Fields fields = origin_request_fields(exchange.request.fields, validators, policy.range);
    if (!lacking.empty() && !fields.has(http::FieldName::kRange)) fields.add(http::FieldName::kRange, lacking);
    const http::ResponseHead response = ask_origin(exchange, fields);
    const Answer answer{exchange.request, response, exchange.url, now_, now_};
    const bool failed = response.status == 0 || is_error_to_hide(response.status);
    if (stored && failed && may_serve_on_error(stored->freshness, directives, now_.steady)) {
      serve(exchange, *stored);
    } else if (stored && response.status == 304 && is_freshened_by(response.fields, validators)) {
      const Freshened renewed =
          freshen(fields_of(stored->lines, exchange.arena), stored->freshness.status, answer, policy);
      stored->lines = owned(renewed.response.fields);
      stored->freshness = renewed.storing.freshness;
      serve(exchange, *stored);
    } else if (Stored* made = store(exchange, response)) {
      serve(exchange, *made);
    } else {
      relay(exchange, response);
    }
  }

  http::ResponseHead ask_origin(Exchange& exchange, const http::Fields& fields) {
    exchange.seen.asked = true;
    exchange.seen.asked_with = owned(fields);
    http::ResponseHead response(exchange.arena);
    response.fields = fields_of(origin.lines, exchange.arena);
    response.status = origin.status;
    const auto repeats = [&](http::FieldName condition, http::FieldName validator) {
      return fields.has(condition) && fields.value(condition) == response.fields.value(validator);
    };
    if (origin.validates && (repeats(http::FieldName::kIfNoneMatch, http::FieldName::kEtag) ||
                             repeats(http::FieldName::kIfModifiedSince, http::FieldName::kLastModified)))
      response.status = 304;
    return response;
  }

  Stored* store(const Exchange& exchange, const http::ResponseHead& response) {
    const Storing storing = decide_storing({exchange.request, response, exchange.url, now_, now_, false}, policy);
    if (!storing.stored()) return nullptr;
    const std::string primary = primary_key(exchange, exchange.url);
    std::string& list = lists_[primary];
    list = *merge_vary_lists(list, storing.vary_list, exchange.arena);
    Stored& stored = stored_[variant_key(exchange, primary)];
    stored = {storing.freshness, owned(stored_fields(response, policy, now_)), origin.content, std::nullopt};
    if (response.status == 206)
      stored.part = fit_to_content(*http::parse_content_range(response.fields.value(http::FieldName::kContentRange)),
                                   origin.content.size());
    return &stored;
  }

  void relay(Exchange& exchange, const http::ResponseHead& response) {
    exchange.seen.status = response.status;
    exchange.seen.content = origin.content;
    exchange.seen.lines = owned(response.fields);
  }

  void serve(Exchange& exchange, const Stored& stored) {
    Seen& seen = exchange.seen;
    const http::Fields& request = exchange.request.fields;
    seen.lines = stored.lines;
    seen.lines.emplace_back("Age", std::to_string(age_in_seconds(stored.freshness.age(now_.steady))));
    seen.status = stored.freshness.status;
    seen.content = stored.content;
    http::Validators validators{true, validators_of(stored).etag, std::nullopt, stored.freshness.date};
    if (stored.freshness.last_modified != kNoTime) validators.last_modified = stored.freshness.last_modified;
    const int64_t now = now_.wall_seconds();
    if (http::evaluate_preconditions(exchange.request.method, request, validators, now) ==
        http::Precondition::kNotModified) {
      seen.status = 304;
      seen.content.clear();
    } else if (request.has(http::FieldName::kRange) && http::if_range_holds(request, validators, now)) {
      serve_range(exchange, stored);
    }
  }

  static void serve_range(Exchange& exchange, const Stored& stored) {
    const http::ContentRange whole{{0, stored.content.size() - 1}, stored.content.size(), false};
    const http::ContentRange part = stored.part.value_or(whole);
    const auto range = range_within(exchange.request.fields.value(http::FieldName::kRange), part);
    if (!range) return;
    exchange.seen.status = 206;
    exchange.seen.content = stored.content.substr(range->first - part.range.first, range->size());
  }

  Moment now_ = kNow;
  std::map<std::string, std::string> lists_;
  std::map<std::string, Stored> stored_;
};

}   // namespace proxyd::caching
