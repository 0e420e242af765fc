// What was learned from logs: what a program did, and what its manifest should say, for people.
#pragma once

#include <string>
#include <vector>

#include "manifest-gen/rehearse/observed_run.h"
#include "manifest-gen/rehearse/verdict/proposals.h"

namespace cloister::cmd {

// `image` names what the proposals were held against; empty: nothing.
struct Learned {
  manifest::ObservedRun run;
  std::vector<manifest::Proposal> proposals;
  std::string image;
  std::vector<std::string> findings;  // what no line of an overlay does anything about
};

std::string learn_text(const Learned& learned, std::size_t width);
std::string learn_markdown(const Learned& learned);
// The overlay, with what was read and what it leaves open as comments at its head.
std::string learn_toml(const Learned& learned);

}  // namespace cloister::cmd
