#include "master/admin/event_stream.h"

#include <algorithm>

#include "master/admin/authentication.h"
#include "shared/base/bytes.h"

namespace proxyd::admin {
namespace {

constexpr auto kLongest = std::chrono::hours(1);
constexpr auto kLook = std::chrono::seconds(5);
constexpr auto kQuiet = std::chrono::seconds(15);

uint64_t first_of(const AdminRequest& request, master::Events& events) {
  const std::string text = request.field("last-event-id");
  const bool number = !text.empty() && text.size() <= 18 && std::all_of(text.begin(), text.end(), is_digit);
  return number ? std::min<uint64_t>(std::stoull(text), events.last()) : events.last();
}

}   // namespace

void stream_events(const AdminRequest& request, Poco::Net::HTTPServerResponse& response, Context& context) {
  master::Events& events = context.master.events();
  response.setContentType("text/event-stream");
  response.set("Cache-Control", "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.setKeepAlive(false);
  response.setChunkedTransferEncoding(true);
  std::ostream& out = response.send();
  uint64_t seen = first_of(request, events);
  const Instant end = Clock::now() + kLongest;
  Instant looked = Clock::now();
  Instant written{};
  while (out.good() && Clock::now() < end && !events.closed()) {
    for (const master::Event& event : events.after(seen, milliseconds(kLook))) {
      out << "id: " << event.id << "\nevent: " << event.kind
          << "\ndata: " << event.body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n\n";
      seen = event.id;
      written = Instant{};
    }
    const Instant now = Clock::now();
    if (now - looked >= kLook && !still_valid(request, context)) break;
    if (now - looked >= kLook) looked = now;
    if (written == Instant{} || now - written >= kQuiet) {
      out << ":\n\n" << std::flush;
      written = now;
    }
  }
}

}   // namespace proxyd::admin
