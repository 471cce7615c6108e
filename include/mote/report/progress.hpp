// SPDX-License-Identifier: MIT
#pragma once
// ProgressLine: one line on the terminal that follows a training, or any work whose parts are counted.

#include <mote/train/trainer.hpp>

#include <cstdio>
#include <string>

#include <unistd.h>

MOTE_BEGIN_NAMESPACE

/// Writes to a stream (the standard error output unless told otherwise). On a terminal the line is drawn over itself at most
/// ten times a second; elsewhere each training leaves one line when it is done.
///
///     ProgressLine line;
///     line.start("teacher");
///     options.callback = [&](const TrainProgress& p) { line.update(p); };
class ProgressLine {
  public:
    explicit ProgressLine(std::FILE* stream = stderr) : ProgressLine(stream, isatty(fileno(stream)) == 1) {}
    /// `terminal`: whether the line may be drawn over itself.
    ProgressLine(std::FILE* stream, bool terminal) : stream_(stream), terminal_(terminal) {}
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    ~ProgressLine() { finish(); }

    /// Begins a line with a title; the line before stays as it is.
    void start(std::string title) {
        finish();
        title_ = std::move(title);
        start_ = std::chrono::steady_clock::now();
    }

    void update(const TrainProgress& progress) {
        show(progress.step == progress.steps, [&] { return text(progress); });
    }
    /// `done` parts of `all` are done.
    void update(std::size_t done, std::size_t all) {
        show(done == all, [&] { return text(done, all); });
    }

    /// Ends the line, if one is open.
    void finish() {
        if (shown_.empty()) return;
        std::fputc('\n', stream_);
        std::fflush(stream_);
        shown_.clear();
    }

    /// "teacher  [=====>    ]  epoch 20/40  loss 0.0123  accuracy 99.51 %  12345 samples/s  3 s left"
    std::string text(const TrainProgress& p) const {
        char line[192];
        std::snprintf(line, sizeof line, "[%s]  epoch %zu/%zu  loss %.4f  accuracy %.2f %%  %.0f samples/s  %s",
                      bar(p.step, p.steps).c_str(), p.epoch, p.epochs, p.loss, 100.0 * p.accuracy, p.samples_per_second,
                      p.step == p.steps ? "done" : left(p.remaining_seconds).c_str());
        return title_.empty() ? line : title_ + "  " + line;
    }
    /// "calibration  [=====>    ]  123/500  3 s left"
    std::string text(std::size_t done, std::size_t all) const {
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
        const double rest = done == 0 ? 0.0 : seconds * static_cast<double>(all - done) / static_cast<double>(done);
        const std::string line = "[" + bar(done, all) + "]  " + std::to_string(done) + "/" + std::to_string(all) + "  " +
                                 (done == all ? std::string("done") : left(rest));
        return title_.empty() ? line : title_ + "  " + line;
    }

  private:
    template <class Text>
    void show(bool done, const Text& text) {
        const auto now = std::chrono::steady_clock::now();
        const bool due = terminal_ && (shown_.empty() || now - last_ >= std::chrono::milliseconds(100));
        if (!done && !due) return;
        last_ = now;
        draw(text());
        if (done) finish();
    }

    static std::string bar(std::size_t done, std::size_t all) {
        constexpr std::size_t width = 20;
        const std::size_t full = all == 0 ? width : width * done / all;
        std::string text(full, '=');
        if (full < width) text += '>';
        text.resize(width, ' ');
        return text;
    }
    static std::string left(double seconds) {
        char line[48];
        if (seconds < 90.0) {
            std::snprintf(line, sizeof line, "%.0f s left", seconds);
        } else if (seconds < 5400.0) {
            std::snprintf(line, sizeof line, "%.0f min left", seconds / 60.0);
        } else {
            std::snprintf(line, sizeof line, "%.1f h left", seconds / 3600.0);
        }
        return line;
    }

    void draw(const std::string& line) {
        std::string padded = line;
        if (padded.size() < shown_.size()) padded.resize(shown_.size(), ' ');  // covers what was longer
        if (terminal_ && !shown_.empty()) std::fputc('\r', stream_);
        std::fputs(padded.c_str(), stream_);
        std::fflush(stream_);
        shown_ = line;
    }

    std::FILE* stream_;
    bool terminal_;
    std::string title_;
    std::string shown_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point last_{};
};

MOTE_END_NAMESPACE
