// SPDX-License-Identifier: MIT
// ProgressLine: what it says, and what it leaves in a file and on a terminal.

#include <mote/report/progress.hpp>

#include <support/catch.hpp>

namespace progress_test {

mote::TrainProgress progress(std::size_t step) {
    mote::TrainProgress p;
    p.epoch = 1 + (step - 1) / 10;
    p.epochs = 4;
    p.step = step;
    p.steps = 40;
    p.loss = 0.12345;
    p.accuracy = 0.9876;
    p.samples_per_second = 12345.6;
    p.remaining_seconds = 12.0;
    return p;
}

std::string written(bool terminal, const std::vector<std::size_t>& steps) {
    std::FILE* file = std::tmpfile();
    REQUIRE(file != nullptr);
    {
        mote::ProgressLine line(file, terminal);
        line.start("teacher");
        for (const std::size_t step : steps) line.update(progress(step));
    }
    std::rewind(file);
    std::string text;
    for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
    std::fclose(file);
    return text;
}

}  // namespace progress_test

TEST_CASE("progress: the line tells epoch, loss, accuracy, speed and remaining time") {
    using namespace progress_test;
    mote::ProgressLine line(stderr, false);
    CHECK(line.text(progress(20)) ==
          "[==========>         ]  epoch 2/4  loss 0.1235  accuracy 98.76 %  12346 samples/s  12 s left");
    mote::TrainProgress p = progress(40);
    CHECK_THAT(line.text(p), Catch::StartsWith("[====================]  epoch 4/4") && Catch::EndsWith("done"));
    p.step = 1;
    p.remaining_seconds = 600.0;
    CHECK_THAT(line.text(p), Catch::EndsWith("10 min left"));
    p.remaining_seconds = 7200.0;
    CHECK_THAT(line.text(p), Catch::EndsWith("2.0 h left"));
}

TEST_CASE("progress: work whose parts are counted has a bar, the count and the remaining time") {
    mote::ProgressLine line(stderr, false);
    CHECK_THAT(line.text(250, 500), Catch::StartsWith("[==========>         ]  250/500  ") && Catch::EndsWith(" left"));
    CHECK(line.text(500, 500) == "[====================]  500/500  done");
}

TEST_CASE("progress: a file gets one line a training, a terminal the line drawn over itself") {
    using namespace progress_test;
    const std::string file = written(false, {1, 2, 40});
    CHECK_THAT(file, Catch::StartsWith("teacher  [====") && Catch::EndsWith("done\n"));
    CHECK(file.find('\r') == std::string::npos);
    CHECK(written(false, {1, 2}).empty());
    const std::string terminal = written(true, {1, 40});
    CHECK_THAT(terminal, Catch::StartsWith("teacher  [>") && Catch::Contains("\rteacher  [====") && Catch::EndsWith("\n"));
    CHECK_THAT(written(true, {1}), Catch::EndsWith("left\n"));
}
