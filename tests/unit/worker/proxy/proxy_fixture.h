#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/unit/worker/proxy/stored/worker_fixture.h"
#include "worker/proxy/proxy.h"

namespace proxyd::proxy {

// A proxy with one route, which caches by the policy "main", whose keys a test gives as JSON.
class ProxyTest : public WorkerTest {
 protected:
  explicit ProxyTest(std::string_view policy = "{}") {
    const std::string document = R"({"version": 1, "listeners": {"main": {"address": ":80"}}, "upstreams": {"app": {}},
      "cache_policies": {"main": )" +
                                 std::string(policy) + R"(}, "hosts": {"all": {"names": ["*"], "routes":
      [{"name": "all", "match": {"path_prefix": "/"}, "upstream": "app", "cache": "main"}]}}})";
    auto built = ConfigurationBuilder(services(), &metrics_, nullptr).build({1, 1, document, {}});
    if (!built) throw std::runtime_error(built.error().pointer + ": " + built.error().text);
    proxy_.set_configuration(*built);
  }

  status::RejectRegion rejects_ = std::move(*status::RejectRegion::create());
  limits::LimitsRegion limits_ = std::move(*limits::LimitsRegion::create());
  Proxy proxy_{loop_, buffers_, metrics_, status_, rejects_, limits_, 0, log_, shared_};
};

}   // namespace proxyd::proxy
