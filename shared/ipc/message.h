#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"

namespace proxyd::ipc {

// What master and worker say to each other. A worker obeys in the order of arrival and never waits for the master.
enum class MessageType : uint32_t {
  // master → worker
  kPrepare = 1,    // a Publication: always the whole set; a worker keeps what it has and closes what it was given
                   // twice. Logs are reopened by the same door
  kActivate = 2,   // an Edition: what was prepared is now in force
  kDiscard = 3,    // {}: forget what was prepared
  kDrain = 4,      // {deadline_ms}: leave and close the listeners, finish what runs, cut the rest at the deadline, exit
  kStop = 5,       // {}: exit now
  kLookAtListeners = 6,   // {}: look at the listeners, for a wake-up may have died with another worker
  kAsk = 7,        // {question, …}: answered by kAnswer of the same id; questions: "explain", by the configuration in
                   // force or by a snapshot whose descriptor comes along; "purge_subjects",
                   // "cache_objects" (a piece of a walk), "cache_lookup"
  kLogLevel = 8,   // {level}
  kCut = 9,        // {row}: end what runs at the target of that row; sent again while something does
  // worker → master
  kHello = 32,       // {slot, incarnation, pid}: the first message
  kPrepared = 33,    // an Edition
  kRefused = 34,     // an Edition and {pointer, text}: could not prepare
  kActivated = 35,   // an Edition: requests from now on use it; the first one makes the worker `running`
  kAnswer = 36,      // {…}
  kPurged = 37,      // {mode, client, subjects}: a PURGE of the data plane was carried out, for the record
};

struct Message {
  MessageType type{};
  uint64_t id = 0;   // pairs an answer with its question; 0: none
  nlohmann::json body = nlohmann::json::object();
  std::vector<UniqueFd> descriptors;   // at most 250, a SCM_RIGHTS limit
  bool descriptors_lost = false;       // received, but there was no room for its descriptors: body and they are empty
};

}   // namespace proxyd::ipc
