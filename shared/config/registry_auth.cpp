#include "shared/config/registry_types.h"

namespace proxyd::config::registry {
namespace {

const ValueType kRealm = text(Format::kFieldContent);
const ObjectType kBasic{"basic",
                        {
                            {"realm", &kRealm, "", "what the client is told that it is asked for", kRequired},
                            {"users_file", &kFilePath, "", "name:hash by line, as htpasswd -B makes it", kRequired},
                        }};

const ValueType kName = text(Format::kNotEmpty);
const ValueType kSomeNames{.kind = Kind::kList, .item = &kName, .least_items = 1};
const ValueType kAlgorithm{.kind = Kind::kWord, .words = {"RS256", "ES256", "HS256", "EdDSA"}};
const ValueType kAlgorithms{.kind = Kind::kList, .item = &kAlgorithm, .least_items = 1, .most_items = 4};
const ValueType kLeeway{.kind = Kind::kDuration, .least = 0, .most = 3'600'000};
const ObjectType kJwt{"jwt",
                      {
                          {"issuer", &kName, "", "what iss must be; any, unless given"},
                          {"audience", &kSomeNames, "", "one of these must be in aud; any, unless given"},
                          {"algorithms", &kAlgorithms, "", "RS256, ES256, HS256, EdDSA", kRequired},
                          {"jwks_file", &kFilePath, "", "the keys of who signs, a JSON Web Key Set", kRequired},
                          {"jwks_url", nullptr},
                          {"leeway", &kLeeway, "\"30s\"", "how far clocks may be apart"},
                          {"forward", &kBoolean, "false", "the target sees the token"},
                      }};

const ValueType kJwtValue = object_of(kJwt);
const ValueType kBasicValue = object_of(kBasic);
const ObjectType kAuth{"auth",
                       {
                           {"basic", &kBasicValue, "", "a name and a password"},
                           {"jwt", &kJwtValue, "", "a signed token"},
                           {"subrequest", nullptr},
                       }};

}   // namespace

const ValueType kAuthValue = object_of(kAuth);

}   // namespace proxyd::config::registry
