#pragma once

#include <memory>
#include <string>

#include "master/admin/context.h"
#include "master/admin/exchange.h"

namespace proxyd::admin {

// What the path of a call names, or the answer why it names nothing. Holds the configuration that it points into.
struct WantedTarget {
  std::shared_ptr<const master::ActiveConfiguration> active;
  const config::Upstream* upstream = nullptr;
  const config::Target* target = nullptr;
  AdminAnswer refusal;

  std::string name() const { return upstream->name + "/" + target->id; }   // "app/one"
  std::string place() const;                                               // in the document
  uint32_t row() const { return active->targets.at(name()).row; }
};
WantedTarget find_target(const AdminRequest& request, Context& context);

}   // namespace proxyd::admin
