#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/rest/client.h"
#include "shared/config/decode.h"
#include "shared/config/node.h"

namespace proxyd::cli {

// What `-f FILE|DIR|-` named: the text of one document, or the documents of a folder (*.yaml, *.yml, *.json, by name)
// taken as one. It still knows where each thing was written. A value of one command; reading it fails with words.
class Documents {
 public:
  static Result<Documents> read(const std::string& name);

  // One text goes to the server as it was written; several become one by `composed`.
  bool is_one_text() const { return files_.size() == 1 && !is_folder_; }
  const std::string& text() const { return files_.front().text; }
  std::string content_type() const;

  // Canonical JSON of all files together, or `errors[]` as the API would give them. A `part` need not be a document by
  // itself: it may lack the version and name what is elsewhere.
  struct Composed {
    Json json;
    Json errors = Json::array();
  };
  Composed composed(bool part) const;
  // `document` with each object that the files name as they say; the others stay.
  Json merged_into(Json document, const Json& composed) const;
  // Of a lone text, decoded and validated here, or `errors[]` and `warnings[]`.
  config::Decoded decoded() const;

  // The N of "# proxyd revision N" in the first line, or empty. Fails when two files say different ones.
  Result<std::string> base() const;

  // "FILE:LINE:COLUMN: /pointer: message (did you mean …)"; a problem without a line has that of its pointer.
  std::string located(const Json& problem) const;
  // All of `errors[]`, then how many there are; or warnings.
  void print_errors(const Json& errors) const;
  void print_warnings(const Json& warnings) const;

 private:
  struct File {
    std::string name;
    std::string text;
    config::Node root;
    config::Read read() const;
  };
  const File& file_of(const std::string& pointer) const;
  void join(config::Node& whole, const File& file, Json& errors) const;

  std::string name_;
  bool is_folder_ = false;
  std::vector<File> files_;
};

// Of a text that was made here of the files: its lines say nothing to a person.
Json without_places(Json problems);
// Problems as the API's `errors[]`.
Json to_json(const std::vector<config::Problem>& problems);

}   // namespace proxyd::cli
