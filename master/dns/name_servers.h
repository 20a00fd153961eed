#pragma once

#include <sys/stat.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "master/dns/answer.h"
#include "master/dns/lookups.h"
#include "shared/base/result.h"
#include "shared/base/unique_fd.h"

struct ares_channeldata;

namespace proxyd::dns {

// Asks the name servers of this machine, by c-ares: A and AAAA, or SRV and then those of the hosts it names; what
// /etc/hosts has goes before. The search list and, unless others were given, the servers are those of /etc/resolv.conf,
// which is read again when it has changed. Owned by the resolver, in its thread. A question is asked twice of each
// server, 1.5 s and 3 s.
class NameServers final : public Lookups {
 public:
  // `servers`: "system", or addresses, each with a port or without, by commas. Fails when there is no memory.
  static Result<std::unique_ptr<NameServers>> create(const std::string& servers);
  ~NameServers() override;

  void begin(const Query& query) override;
  std::vector<Finished> wait(Instant until) override;
  void wake() override;

 private:
  struct Lookup;
  struct Question;
  // The channel, and what was in /etc/resolv.conf for it.
  struct Channel {
    ares_channeldata* handle = nullptr;
    struct timespec changed{};
    std::vector<std::string> domains;
    int dots = 1;   // a name with as many is asked for as it is, first

    Channel() = default;
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    ~Channel();
  };

  explicit NameServers(std::string servers);
  Result<std::unique_ptr<Channel>> open_channel() const;
  void follow_resolv_conf();
  std::vector<std::string> candidates_of(const std::string& name) const;
  void ask_candidate(uint64_t id);
  void ask(uint64_t id, Question question);
  bool ask_hosts_file(Lookup& lookup, const Question& question);
  void ask_addresses(uint64_t id, const std::string& host, const Question& place);
  static void answered(void* question, int status, int timeouts, unsigned char* octets, int length);
  void take(const Question& question, int status, std::span<const uint8_t> octets);
  void take_answer(const Question& question, Answer answer);
  void settle(uint64_t id);
  void finish(uint64_t id, bool late);
  void turn(Instant until);

  std::string servers_;
  std::unique_ptr<Channel> channel_;
  UniqueFd wakeup_;
  uint64_t next_id_ = 1;
  std::map<uint64_t, std::unique_ptr<Lookup>> lookups_;
  std::vector<Finished> finished_;
};

}   // namespace proxyd::dns
