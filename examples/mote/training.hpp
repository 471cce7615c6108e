// SPDX-License-Identifier: MIT
#pragma once
// What the commands that train have in common.

#include "data.hpp"

#include <mote/report/progress.hpp>
#include <mote/train/trainer.hpp>

namespace tool {

struct TrainingArguments {
    std::size_t epochs = 10;
    std::size_t batch_size = 32;
    float rate = 1e-3f;
    std::uint64_t seed = 0;
    std::size_t threads = 1;
    bool freeze_batch_norm = false;
};

/// --epochs, --batch-size, --rate, --seed, --threads, --freeze-batch-norm.
void add_training(CLI::App& command, TrainingArguments& arguments);

/// One training that a line on the terminal follows.
class Training {
  public:
    explicit Training(const char* work) { line_.start(work); }

    /// AdamW with a cosine from the rate to zero. They hold a reference to this.
    mote::TrainOptions options(const TrainingArguments& arguments);
    /// Says how the last epoch went.
    void report(const Output& output, std::size_t samples) const;

  private:
    mote::ProgressLine line_;
    double loss_ = 0.0;
    double accuracy_ = 0.0;
};

}  // namespace tool
