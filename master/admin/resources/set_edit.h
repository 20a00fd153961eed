#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "master/admin/resources/member_change.h"

namespace proxyd::admin {

// The whole set of an upstream's dynamic targets, as a body gives it: { "targets": ["10.0.0.1:80", {"id": "b",
// "address": …}] }, or { "targets": { "b": {…} } }. Without an id the target that has the address is meant, else a new
// one with a name made of it. What is given as an address alone stays as it is; an object says all of it. Lives within
// one call, which makes it perhaps more than once.
class SetEdit {
 public:
  // Whether a target gets requests.
  using IsUp = std::function<bool(const master::ActiveConfiguration& now, const std::string& id)>;
  SetEdit(const AdminRequest& request, std::string upstream, const Json& body, milliseconds drain, IsUp is_up);

  // What the body says wrong in itself.
  std::optional<AdminAnswer> refusal() const;
  // Makes `members` that set: those that are not in it drain, on their way out. Or says why not, and then nothing is.
  std::optional<AdminAnswer> make(const master::ActiveConfiguration& now, MembersOfOne& members);

  // What was made the last time, by id; changed ones are kept, too.
  const std::vector<std::string>& added() const { return added_; }
  const std::vector<std::string>& kept() const { return kept_; }
  const std::vector<std::string>& changed() const { return changed_; }
  const std::vector<std::string>& removed() const { return removed_; }
  // Of those that were kept.
  const std::map<std::string, milliseconds>& leases() const { return leases_; }

 private:
  struct Wanted {
    std::string pointer;   // in the body
    std::string id;        // none: by its address
    bool bare = false;     // an address alone
    WantedMember given;
  };
  void read(const std::string& pointer, const std::string& id, const Json& given);
  std::map<std::string, std::string> unnamed_by_address(const MembersOfOne& members) const;
  std::optional<AdminAnswer> name_all(const MembersOfOne& members);
  std::optional<AdminAnswer> check_staying(const master::ActiveConfiguration& now) const;
  void put(const std::string& id, const Wanted& wanted, const master::Member& decoded, MembersOfOne& members);

  const AdminRequest& request_;
  std::string upstream_;
  milliseconds drain_;
  IsUp is_up_;
  std::vector<config::Problem> problems_;
  std::vector<Wanted> wanted_;
  std::map<std::string, const Wanted*> named_;   // of the last time
  std::vector<std::string> added_, kept_, changed_, removed_;
  std::map<std::string, milliseconds> leases_;
};

// One that leaves, as one that does not.
master::Member stays(master::Member member);

}   // namespace proxyd::admin
