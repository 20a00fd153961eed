#pragma once

#include <array>
#include <ctime>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "master/certificates/certificate_files.h"
#include "shared/base/clock.h"

namespace proxyd::master {

// Which certificates' files are to be read again, and what was wrong with them when they were. It looks at the files
// (three stats for each certificate) and never reads them. Owned by `configuration`; any thread.
class CertificateWatch {
 public:
  // Those whose files are others than when they were last read, and stayed as they are since the last look: a renewal
  // replaces two files, one after the other. A wrong one is due again after 10 s, whatever its files look like. What is
  // due counts as read. Certificates that `document` does not name are forgotten.
  std::vector<std::string> due(const config::Document& document, Instant now);
  // This one is due at the next look.
  void read_again(const std::string& name);

  // What is wrong with the newest files, for people; the first word of it is worth a line in the log.
  bool note_fault(const std::string& name, const std::string& fault);
  void clear_fault(const std::string& name);
  std::map<std::string, std::string> faults() const;

 private:
  struct Stamp {
    std::string path;
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t size = -1;   // absent
    int64_t modified = 0;
    int64_t changed = 0;
    bool operator==(const Stamp&) const = default;
  };
  using Stamps = std::array<Stamp, 3>;   // chain, key, OCSP response
  struct Watched {
    Stamps read;
    Stamps seen;
    Instant read_at{};
  };
  static Stamp stamp_of(const std::string& path);
  static Stamps stamps_of(const config::Certificate& certificate);

  mutable std::mutex mutex_;
  std::map<std::string, Watched> watched_;
  std::map<std::string, std::string> faults_;
};

}   // namespace proxyd::master
