#include "worker/proxy/tunnel.h"

#include "worker/proxy/relay/relay_content.h"

namespace proxyd::proxy {
namespace {

// Only `total` bounds a tunnel that is not silent.
RelayLimits tunnel_limits(Deadline total, uint64_t& progress) {
  RelayLimits limits{Pace(std::nullopt, 0), Pace(std::nullopt, 0)};
  limits.total = total;
  limits.progress = &progress;
  return limits;
}

// Ends when the tunnel is cut (true), or when nothing has moved for `limit`; looks once a limit, so a silent tunnel
// lasts at most two.
async::Task<bool> watch(async::EventLoop& loop, async::Signal& cut, const uint64_t& progress,
                        config::MaybeDuration limit) {
  uint64_t seen = progress;
  for (;;) {
    const bool is_cut = co_await async::WaitReady(loop, cut, Deadline::after(loop.now(), limit));
    if (is_cut || progress == seen) co_return is_cut;
    seen = progress;
  }
}

// Both directions; an error of one ends it.
async::Task<void> relay_both_ways(async::EventLoop& loop, downstream::Exchange& client, upstream::Exchange& origin,
                                  Deadline total, uint64_t& progress) {
  async::Task<Relayed> up = relay_content({loop, client.content(), origin.content(), tunnel_limits(total, progress)});
  async::Task<Relayed> down =
      relay_content({loop, origin.response_content(), client.sink(), tunnel_limits(total, progress)});
  co_await async::first_of(up, down);
  async::Task<Relayed>& first = up.done() ? up : down;
  async::Task<Relayed>& second = up.done() ? down : up;
  const Relayed relayed = co_await first;
  if (relayed.end != Relayed::End::kComplete) co_return;
  (void)co_await second;
}

}   // namespace

async::Task<void> run_tunnel(Request& request, upstream::Exchange& origin) {
  uint64_t progress = 0;
  request.proxy.tunnels_total.add();
  struct Open {
    metrics::Cell& gauge;
    explicit Open(metrics::Cell& cell) : gauge(cell) { gauge.add(); }
    ~Open() { gauge.subtract(); }
  } open(request.proxy.tunnels);
  async::Task<void> both = relay_both_ways(request.loop(), request.exchange, origin, request.total, progress);
  async::Task<bool> watched = watch(request.loop(), origin.when_cut(), progress, request.timeouts().tunnel);
  co_await async::first_of(both, watched);
  const bool cut = watched.done() && watched.take();
  const bool too_long = request.total.passed(request.loop().now());
  if (!cut && (too_long || !both.done())) request.proxy.count_timeout(too_long ? Phase::kTotal : Phase::kTunnel);
}

}   // namespace proxyd::proxy
