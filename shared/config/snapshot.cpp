#include "shared/config/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "shared/base/bytes.h"
#include "shared/base/digest.h"
#include "shared/config/membership.h"
#include "shared/memory/sealed_memory.h"

namespace proxyd::config {
namespace {

constexpr uint64_t kMagic = 0x70616e7364787970;   // "pyxdsnap"
constexpr uint32_t kFormat = 4;
constexpr size_t kLargest = 64 * 1024 * 1024;

struct Header {
  uint64_t magic;
  uint32_t format;
  uint32_t unused;
  uint64_t revision;
  uint64_t epoch;
  uint64_t canonical_size;
  uint64_t materials_size;
  Sha256 digest;   // of everything behind the header, and of the numbers above
};

Sha256 digest_of(const Header& header, std::string_view body) {
  std::string covered(reinterpret_cast<const char*>(&header), offsetof(Header, digest));
  covered += body;
  return sha256(covered);
}

nlohmann::json to_json(const Materials& materials) {
  nlohmann::json targets = nlohmann::json::object();
  for (const auto& [name, material] : materials.targets) {
    nlohmann::json places = nlohmann::json::array();
    for (const TargetPlace& place : material.places)
      places.push_back(
          {{"address", place.address}, {"row", place.row}, {"share", place.share}, {"reserve", place.reserve}});
    nlohmann::json one{{"places", std::move(places)}, {"admission", static_cast<int>(material.admission)}};
    if (material.weight) one["weight"] = *material.weight;
    targets[name] = std::move(one);
  }
  nlohmann::json certificates = nlohmann::json::object();
  for (const auto& [name, one] : materials.certificates) {
    const auto* ocsp = reinterpret_cast<const uint8_t*>(one.ocsp.data());
    certificates[name] = {
        {"chain", one.chain}, {"key", one.private_key}, {"ocsp", to_base64url({ocsp, one.ocsp.size()})}};
  }
  nlohmann::json closed = nlohmann::json::object();
  for (const auto& [name, one] : materials.closed_hosts) closed[name] = one.until_ms;
  return {{"targets", std::move(targets)},
          {"sticky_key", materials.sticky_key},
          {"upstreams", materials.upstreams},
          {"members", members_to_json(materials.members)},
          {"limits", materials.limits},
          {"closed_hosts", std::move(closed)},
          {"shares", materials.shares},
          {"files", materials.files},
          {"certificates", std::move(certificates)}};
}

// Throws nlohmann's exceptions for what is no materials.
Materials from_json(const nlohmann::json& json) {
  Materials materials;
  for (const auto& [name, one] : json.at("targets").items()) {
    const auto admission = static_cast<Admission>(std::clamp(one.at("admission").get<int>(), 0, 2));
    TargetMaterial material{{}, admission, std::nullopt};
    for (const auto& place : one.at("places"))
      material.places.push_back({place.at("address"), place.at("row"), place.at("share"), place.at("reserve")});
    if (one.contains("weight")) material.weight = one.at("weight").get<uint32_t>();
    materials.targets[name] = std::move(material);
  }
  materials.sticky_key = json.at("sticky_key");
  materials.upstreams = json.at("upstreams");
  materials.members = members_from_json(json.at("members"));
  materials.limits = json.at("limits");
  for (const auto& [name, until_ms] : json.at("closed_hosts").items())
    materials.closed_hosts[name] = {until_ms.get<int64_t>()};
  materials.shares = json.at("shares");
  materials.files = json.at("files");
  for (const auto& [name, one] : json.at("certificates").items()) {
    auto ocsp = from_base64url(one.at("ocsp").get<std::string>());
    materials.certificates[name] = {one.at("chain"), one.at("key"), std::move(ocsp).value_or("")};
  }
  return materials;
}

}   // namespace

std::vector<uint32_t> TargetMaterial::rows() const {
  std::vector<uint32_t> all = leaving;
  for (const TargetPlace& place : places) all.push_back(place.row);
  return all;
}

Result<UniqueFd> seal(const Snapshot& snapshot) {
  std::string materials;
  try {
    materials = to_json(snapshot.materials).dump();
  } catch (const nlohmann::json::exception& error) {   // a file's content that is no UTF-8
    return Error{fmt::format("the configuration's materials cannot be written: {}", error.what())};
  }
  Header header{kMagic, kFormat, 0, snapshot.revision, snapshot.epoch, snapshot.canonical.size(), materials.size(), {}};
  const std::string body = snapshot.canonical + materials;
  header.digest = digest_of(header, body);
  return memory::seal_content("proxyd-snapshot",
                              std::string(reinterpret_cast<const char*>(&header), sizeof header) + body);
}

Result<Snapshot> unseal(int descriptor) {
  auto content = memory::read_sealed(descriptor, kLargest);
  if (!content) return content.error();
  if (content->size() < sizeof(Header)) return Error{"a snapshot is cut short"};
  Header header;
  std::memcpy(&header, content->data(), sizeof header);
  if (header.magic != kMagic || header.format != kFormat)
    return Error{"a snapshot is of another format than this build's"};
  const std::string_view body = std::string_view(*content).substr(sizeof header);
  const bool sizes_fit =
      header.canonical_size <= body.size() && header.materials_size == body.size() - header.canonical_size;
  if (!sizes_fit || digest_of(header, body) != header.digest)
    return Error{"a snapshot is damaged: its digest does not match"};
  try {
    Materials materials = from_json(nlohmann::json::parse(body.substr(header.canonical_size)));
    return Snapshot{header.revision, header.epoch, std::string(body.substr(0, header.canonical_size)),
                    std::move(materials)};
  } catch (const nlohmann::json::exception& error) {
    return Error{fmt::format("a snapshot's materials cannot be read: {}", error.what())};
  }
}

}   // namespace proxyd::config
