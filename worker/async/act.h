#pragma once

#include <exception>
#include <type_traits>

#include "worker/async/wakeup.h"

namespace proxyd::async {

// A wakeup that calls a method of whoever owns it, on the owner's thread: `Act<&Owner::look> looking_{*this};`. An
// exception of the method goes to the owner's `on_exception(const std::exception&)` where one is named, else to the
// loop. Either method may destroy the owner.
template <auto method, auto on_exception = nullptr>
class Act;

template <class Owner, void (Owner::*method)(), auto on_exception>
class Act<method, on_exception> : public Wakeup {
 public:
  explicit Act(Owner& owner) : Wakeup(&Act::run), owner_(owner) {}

 private:
  static void run(Wakeup& self) {
    Owner& owner = static_cast<Act&>(self).owner_;
    if constexpr (std::is_null_pointer_v<decltype(on_exception)>) {
      (owner.*method)();
    } else {
      try {
        (owner.*method)();
      } catch (const std::exception& error) {
        (owner.*on_exception)(error);
      }
    }
  }

  Owner& owner_;
};

}   // namespace proxyd::async
