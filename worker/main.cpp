#include <csignal>
#include <cstdio>
#include <string_view>

#include "shared/base/log.h"
#include "shared/ipc/channel.h"
#include "shared/ipc/inheritance.h"
#include "worker/control.h"
#include "worker/tls/openssl_memory.h"
#include "worker/worker.h"

namespace {

constexpr std::string_view kInherit = "--inherit=";

int fail(const std::string& message) {
  std::fprintf(stderr, "error: %s\n", message.c_str());
  return 2;
}

// Signals reach the whole process group of a terminal; the master alone decides what they mean. A file that may not
// grow (SIGXFSZ) is an error of that write.
void ignore_signals() {
  for (const int signal : {SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGPIPE, SIGXFSZ})
    std::signal(signal, SIG_IGN);
}

}   // namespace

int main(int argc, char** argv) {
  using namespace proxyd;
  if (argc != 2 || !std::string_view(argv[1]).starts_with(kInherit)) {
    return fail("proxyd-worker is started by proxyd; run `proxyd run`");
  }
  auto inheritance = ipc::Inheritance::decode(std::string_view(argv[1]).substr(kInherit.size()));
  if (!inheritance) return fail(inheritance.error().message);
  ignore_signals();
  (void)tls::pool_openssl_memory();
  auto metrics = metrics::MetricsRegion::adopt(UniqueFd(inheritance->at("metrics")));
  if (!metrics) return fail(metrics.error().message);
  auto status = status::StatusRegion::adopt(UniqueFd(inheritance->at("status")));
  if (!status) return fail(status.error().message);
  auto rejects = status::RejectRegion::adopt(UniqueFd(inheritance->at("rejects")));
  if (!rejects) return fail(rejects.error().message);
  auto tickets = tickets::TicketRegion::adopt(UniqueFd(inheritance->at("tickets")));
  if (!tickets) return fail(tickets.error().message);
  auto limits = limits::LimitsRegion::adopt(UniqueFd(inheritance->at("limits")));
  if (!limits) return fail(limits.error().message);
  auto cache = cache::adopt_region(UniqueFd(inheritance->at("cache")), inheritance->ceiling);
  if (!cache) return fail(cache.error().message);
  Log log(2, "worker " + std::to_string(inheritance->slot));
  worker::Worker worker(*inheritance,
                        {std::move(*metrics), std::move(*status), std::move(*rejects), std::move(*tickets),
                         std::move(*limits), std::move(*cache), memory::WakeDescriptors(inheritance->wakes)},
                        log);
  worker::Control control(worker, ipc::Channel(UniqueFd(inheritance->at("control"))), *inheritance);
  control.say_hello();
  worker.run();
  return 0;
}
