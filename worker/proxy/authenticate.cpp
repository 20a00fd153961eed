#include "worker/proxy/authenticate.h"

#include "worker/proxy/local_answer.h"

namespace proxyd::proxy {
namespace {

using authentication::Requirement;

// What the client showed is right, wrong, or not known before it had a turn.
enum class Shown : uint8_t { kRight, kWrong, kBusy };

Shown shown_as(bool right) { return right ? Shown::kRight : Shown::kWrong; }

Shown check_now(Request& request, const Requirement& requirement, std::string_view credentials, const Sha256& digest) {
  const authentication::Answer answer = requirement.check(credentials, request.proxy.wall_clock_ms());
  if (answer.lasts.count() > 0)
    request.proxy.remembered().keep(digest, answer.right, request.loop().now() + answer.lasts);
  return shown_as(answer.right);
}

// Those who wait for the same credentials find them known when their turn comes.
async::Task<Shown> check_in_turn(Request& request, const Requirement& requirement, std::string_view credentials,
                                 const Sha256& digest) {
  SlowChecks& checks = request.proxy.slow_checks();
  const auto place = checks.place_for(request.facts.client);
  if (!place) co_return Shown::kBusy;
  const Deadline last = Deadline::after(request.loop().now(), SlowChecks::kLongestWait).earlier_of(request.total);
  while (!checks.is_free(request.loop().now())) {
    if (last.passed(request.loop().now())) co_return Shown::kBusy;
    co_await async::Sleep(request.loop(), Deadline::at(checks.free_at()).earlier_of(last));
    const auto known = request.proxy.remembered().find(digest, request.loop().now());
    if (known) co_return shown_as(*known);
  }
  const Instant began = Clock::now();
  const Shown shown = check_now(request, requirement, credentials, digest);
  checks.ran(began, Clock::now());
  co_return shown;
}

async::Task<Shown> check(Request& request, const Requirement& requirement, std::string_view credentials) {
  authentication::Remembered& remembered = request.proxy.remembered();
  const Sha256 digest = remembered.digest_of(requirement.identity(), credentials);
  const auto known = remembered.find(digest, request.loop().now());
  if (known) co_return shown_as(*known);
  if (!requirement.is_slow()) co_return check_now(request, requirement, credentials, digest);
  const Shown shown = co_await check_in_turn(request, requirement, credentials, digest);
  co_return shown;
}

}   // namespace

async::Task<bool> authenticate(Request& request) {
  const RouteAuth& auth = request.configuration->route_auth[request.matched.route->index];
  for (const auto& requirement : auth.requirements) {
    const std::string_view credentials = requirement->credentials(request.head.fields);
    Shown shown = Shown::kWrong;
    if (!credentials.empty()) shown = co_await check(request, *requirement, credentials);
    if (shown == Shown::kRight) continue;
    if (shown == Shown::kBusy) {
      auth.count(AuthResult::kBusy);
      co_await answer_error(request, 503, ProxyError::kRequestDenied, {}, false);
      co_return false;
    }
    auth.count(credentials.empty() ? AuthResult::kMissing : AuthResult::kRefused);
    co_await answer_unauthenticated(request, requirement->challenge(!credentials.empty()));
    co_return false;
  }
  auth.count(AuthResult::kAdmitted);
  co_return true;
}

}   // namespace proxyd::proxy
