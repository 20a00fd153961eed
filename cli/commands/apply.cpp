#include <fmt/format.h>

#include <memory>

#include "cli/changes.h"
#include "cli/commands/commands.h"
#include "cli/documents.h"
#include "shared/config/decode.h"

namespace proxyd::cli {
namespace {

constexpr int kApplySeconds = 60;
constexpr int kMostAttempts = 3;

struct Options {
  std::string file;
  std::string message;
  std::string base;
  bool dry_run = false;
  bool merge = false;
  bool overwrite = false;
};

std::string tag_of(const std::string& revision) { return fmt::format("\"r{}\"", revision); }

// One run of `apply`: what is sent, and how a refusal is told. Fails by exit codes; blocks on the server.
class Application {
 public:
  Application(const Session& session, const Options& options, const Documents& documents, std::string base)
      : session_(session), options_(options), documents_(documents), base_(std::move(base)) {}

  Exit run() {
    for (int attempt = 1;; ++attempt) {
      const Exit exit = once(attempt == kMostAttempts);
      if (!again_) return exit;
    }
  }

 private:
  // Plans and writes what was planned. Without a base of the user's, a change in between is planned over anew.
  Exit once(bool last) {
    again_ = false;
    RestClient::Call call;
    if (const Exit exit = make(call); exit != Exit::kOk) return exit;
    RestClient::Call dry = call;
    dry.path += options_.message.empty() ? "?dry_run=true" : "&dry_run=true";
    const Session::Outcome plan = options_.overwrite ? session_.change(dry) : session_.attempt(dry);
    if (!plan.ok()) return refused(plan);
    const Json changes = plan.json.value("changes", Json::array());
    if (options_.dry_run) return show_plan(plan, changes);
    if (session_.for_people()) print(render_changes(changes, session_.colour_on()));
    if (const Exit exit = agreed(changes); exit != Exit::kOk) return exit;
    if (base_.empty() && !options_.overwrite && plan.json.value("parent", 0) != 0)
      call.fields["If-Match"] = tag_of(text_of(plan.json, "parent"));
    const Session::Outcome applied = options_.overwrite ? session_.change(call) : session_.attempt(call);
    again_ = applied.reply.status == 412 && base_.empty() && !last;
    if (again_) return say("the configuration was changed meanwhile; planning anew"), Exit::kOk;
    if (!applied.ok()) return refused(applied);
    documents_.print_warnings(problems_in(applied.json, "warnings"));
    const bool nothing = applied.json.value("changes", Json::array()).empty();
    return session_.show(
        applied, nothing ? "no changes\n"
                         : fmt::format("revision {} is active on {} of {} workers\n", text_of(applied.json, "revision"),
                                       text_of(applied.json, "acknowledged"), text_of(applied.json, "workers")));
  }

  Exit make(RestClient::Call& call) {
    call = {.method = "PUT", .path = "/api/v1/config", .timeout_seconds = kApplySeconds};
    if (!options_.message.empty()) call.path += "?message=" + encoded(options_.message);
    if (!base_.empty() && !options_.overwrite) call.fields["If-Match"] = tag_of(base_);
    if (documents_.is_one_text() && !options_.merge) {
      call.body = documents_.text();
      call.content_type = documents_.content_type();
      return Exit::kOk;
    }
    const Documents::Composed composed = documents_.composed(options_.merge);
    if (!composed.errors.empty()) return documents_.print_errors(composed.errors), Exit::kInvalid;
    Json document = composed.json;
    if (options_.merge) {
      const Session::Outcome current = session_.attempt({.path = "/api/v1/config"});
      if (!current.ok() && current.reply.status != 404) return refused(current);
      if (base_.empty() && !options_.overwrite && current.ok()) call.fields["If-Match"] = current.reply.etag;
      document = documents_.merged_into(current.ok() ? current.json : Json{{"version", 1}}, composed.json);
    }
    call.body = document.dump();
    return Exit::kOk;
  }

  // Their lines are the file's only when the server read the file itself.
  Json problems_in(const Json& answer, const char* key) const {
    const Json problems = answer.value(key, Json::array());
    return documents_.is_one_text() && !options_.merge ? problems : without_places(problems);
  }

  Exit show_plan(const Session::Outcome& plan, const Json& changes) {
    documents_.print_warnings(problems_in(plan.json, "warnings"));
    session_.show(plan, changes.empty() ? "no changes\n" : render_changes(changes, session_.colour_on()));
    return changes.empty() ? Exit::kOk : Exit::kNegative;
  }

  // Losing most of what there is wants a person's word.
  Exit agreed(const Json& changes) {
    const std::string removals = render_removals(changes);
    if (removals.empty()) return Exit::kOk;
    if (!session_.for_people()) say(removals.substr(0, removals.size() - 1));
    const Session::Outcome current = session_.get("/api/v1/config");
    if (!current.ok()) return current.exit;
    const std::string loss = loses_most(changes, current.json);
    return loss.empty() ? Exit::kOk : session_.confirmed(loss + "; apply it");
  }

  Exit refused(const Session::Outcome& outcome) {
    if (outcome.reply.status == 0) return outcome.exit;
    const Json errors = problems_in(outcome.json, "errors");
    if (!errors.empty()) return documents_.print_errors(errors), outcome.exit;
    if (problem_code(outcome.reply) == "changed-meanwhile") show_both_sides(outcome.json);
    if (problem_code(outcome.reply) == "activation-failed" && outcome.json.contains("pointer")) {
      say(documents_.located(
          {{"pointer", text_of(outcome.json, "pointer")}, {"message", text_of(outcome.json, "text")}}));
    }
    print_refusal(outcome.reply);
    return outcome.exit;
  }

  // What others changed since the base, and what this file changes.
  void show_both_sides(const Json& problem) {
    std::string current = text_of(problem, "current");
    current = current.substr(std::min(current.find('r') + 1, current.size()));
    current = current.substr(0, current.find('"'));
    const std::string message = text_of(problem, "message");
    const Session::Outcome base = session_.attempt({.path = "/api/v1/revisions/" + encoded(base_)});
    if (!base.ok())
      return say(
          fmt::format("revision {} is active, by {} at {}", current, text_of(problem, "by"), text_of(problem, "at")));
    const Json from = base.json.value("document", Json());
    const Session::Outcome theirs =
        session_.attempt({.path = fmt::format("/api/v1/revisions/{}/diff", encoded(base_))});
    say(fmt::format("theirs: revision {} by {} at {}{} changed, since revision {}:", current, text_of(problem, "by"),
                    text_of(problem, "at"), message == "-" || message.empty() ? "" : " (" + message + ")", base_));
    show_side(theirs.json.value("changes", Json::array()));
    Json ours = documents_.composed(options_.merge).json;
    if (options_.merge && ours.is_object()) ours = documents_.merged_into(from, ours);
    if (!ours.is_object()) return;
    say(fmt::format("yours: the file changes, since revision {}:", base_));
    show_side(changes_between(from, ours));
  }

  static void show_side(const Json& changes) {
    const std::string text = changes.empty() ? "nothing\n" : render_changes(changes, false);
    say(text.substr(0, text.size() - 1));
  }

  const Session& session_;
  const Options& options_;
  const Documents& documents_;
  std::string base_;
  bool again_ = false;
};

Exit apply(const Session& session, const Options& options) {
  const auto documents = Documents::read(options.file);
  if (!documents) return print_error(documents.error().message), Exit::kUsage;
  const auto base = documents->base();
  if (!base)
    return print_error(base.error().message, "say it yourself: --base-revision N, or --overwrite"), Exit::kUsage;
  return Application(session, options, *documents, options.base.empty() ? *base : options.base).run();
}

}   // namespace

void add_apply(CLI::App& app, Session& session, Exit& exit) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("apply", "Make the document equal to a file: what the file lacks is removed");
  command->add_option("-f,--file", options->file, "A file, a folder of files, or - for stdin")
      ->required()
      ->type_name("FILE|DIR|-");
  command->add_flag("--dry-run", options->dry_run,
                    "Show what would change and change nothing; exit 1 when something would");
  command->add_flag("--merge", options->merge, "Change only the objects that the file names");
  command->add_option("-m,--message", options->message, "Why, for the history")->type_name("TEXT");
  CLI::Option* base = command
                          ->add_option("--base-revision", options->base,
                                       "Refuse when another revision is active; else as the file's first line says")
                          ->type_name("N")
                          ->check(CLI::Validator(CLI::PositiveNumber).description(""));
  command->add_flag("--overwrite", options->overwrite, "Go over whatever is active")->excludes(base);
  command->add_flag("--yes", session.yes, "Do not ask when most would be removed");
  command->callback([&session, &exit, options] { exit = apply(session, *options); });
}

}   // namespace proxyd::cli
