#include "master/purge_record.h"

#include "shared/base/clock.h"

namespace proxyd::master {

void record_purge(const store::Purge& purge, LateRecords& records, Events& events) {
  records.add(purge);
  events.publish("purge", {{"id", purge.id},
                           {"mode", purge.mode},
                           {"author", purge.author},
                           {"subjects", nlohmann::json::parse(purge.subjects)}});
}

void record_purge(const nlohmann::json& told, LateRecords& records, Events& events) {
  const store::Purge purge{.id = records.next_id(),
                           .time = rfc3339(std::chrono::system_clock::now()),
                           .author = told.value("client", ""),
                           .mode = told.value("mode", ""),
                           .subjects = told.value("subjects", nlohmann::json::object()).dump(),
                           .reason = "PURGE"};
  record_purge(purge, records, events);
}

}   // namespace proxyd::master
