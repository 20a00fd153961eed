#pragma once

#include <map>
#include <string>
#include <string_view>

#include "shared/config/model.h"

namespace proxyd::routing {

// What a host answers in our place when something is wrong: `error_pages` of the document, their files read. Immutable;
// part of the host's entry. Views into the materials, which outlive it.
class ErrorPages {
 public:
  struct Page {
    std::string_view content;
    std::string_view type;   // by the extension of its file
  };

  ErrorPages(const config::Host& host, const std::map<std::string, std::string>& files);

  // Null when there is none for that status.
  const Page* find(int status) const {
    const auto found = pages_.find(status);
    return found == pages_.end() ? nullptr : &found->second;
  }

 private:
  std::map<int, Page> pages_;
};

}   // namespace proxyd::routing
