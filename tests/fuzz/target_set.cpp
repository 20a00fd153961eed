#include <cstdlib>
#include <set>
#include <string>

#include "master/admin/resources/set_edit.h"

// Input: a body of PUT /upstreams/{u}/targets. It is put over two targets, of which one has a lease. Oracle: it is
// refused in words, or each target of the set is there once, to stay, and counted as added or kept, while the others
// leave; each is what the decoder of documents makes of it; the same set again changes nothing.
namespace {

using namespace proxyd;
using admin::MembersOfOne;
using admin::SetEdit;

void require(bool holds) {
  if (!holds) std::abort();
}

const master::ActiveConfiguration& configuration() {
  static const master::ActiveConfiguration* made = [] {
    auto* now = new master::ActiveConfiguration;
    now->canonical = config::Json::parse(R"({"version":1,"upstreams":{"app":{"membership":"dynamic"}}})");
    now->document.upstreams["app"].membership = config::Membership::kDynamic;
    return now;
  }();
  return *made;
}

const config::Json& declared() { return configuration().canonical.at("upstreams").at("app"); }

MembersOfOne two_members() {
  auto decoded = master::decode_members(
      "app", declared(), config::Json::parse(R"({"a":{"address":"x:1","weight":7},"b":{"address":"x:2"}})"));
  decoded.members.at("b").lease = milliseconds(90'000);
  return std::move(decoded.members);
}

void check_made(const SetEdit& edit, const MembersOfOne& members) {
  std::set<std::string> staying(edit.added().begin(), edit.added().end());
  staying.insert(edit.kept().begin(), edit.kept().end());
  require(staying.size() == edit.added().size() + edit.kept().size());
  for (const std::string& id : edit.changed()) require(staying.contains(id));
  size_t stay = 0;
  for (const auto& [id, member] : members) {
    require(id == member.target.id && member.leaving.empty() == staying.contains(id));
    const auto again = master::restored(master::stored("app", member), declared());
    require(again && again->target == member.target && again->lease == member.lease);
    stay += member.leaving.empty() ? 1 : 0;
  }
  require(stay == staying.size() && members.size() == stay + edit.removed().size());
}

}   // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  admin::AdminRequest request;
  request.method = "PUT";
  request.identity.name = "fuzz";
  request.body.assign(reinterpret_cast<const char*>(data), size);
  const admin::Body body = admin::read_json_body(request);
  if (body.refusal) return 0;
  SetEdit edit(request, "app", body.json, milliseconds(0),
               [](const master::ActiveConfiguration&, const std::string&) { return true; });
  MembersOfOne members = two_members();
  auto refused = edit.refusal();
  if (!refused) refused = edit.make(configuration(), members);
  if (refused) {
    require(refused->status == 422 || refused->status == 409);
    require(!config::Json::parse(refused->body).at("detail").get<std::string>().empty());
    return 0;
  }
  check_made(edit, members);
  const MembersOfOne before = members;
  require(!edit.make(configuration(), members));
  require(edit.added().empty() && edit.changed().empty() && edit.removed().empty() && before.size() == members.size());
  return 0;
}
