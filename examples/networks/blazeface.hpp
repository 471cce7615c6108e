// SPDX-License-Identifier: MIT
#pragma once
// BlazeFace's answers (Bazarevsky et al. 2019, "BlazeFace: sub-millisecond neural face detection on mobile GPUs") as faces.

#include <mote/tensor/error.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

namespace blazeface {

inline constexpr std::size_t key_points = 6;  // right eye, left eye, nose, mouth, right ear, left ear

/// All figures are shares of the square that the network sees.
struct Face {
    float score = 0;
    float left = 0, top = 0, right = 0, bottom = 0;
    std::array<std::array<float, 2>, key_points> points{};
};

/// The centres that boxes are told from: two for each cell of the 16x16 grid, six for each of the 8x8 grid.
inline std::vector<std::array<float, 2>> anchors() {
    std::vector<std::array<float, 2>> result;
    for (const auto& [cells, boxes] : {std::array<int, 2>{16, 2}, std::array<int, 2>{8, 6}}) {
        for (int i = 0; i < cells * cells * boxes; ++i) {
            const int cell = i / boxes;
            result.push_back({(static_cast<float>(cell % cells) + 0.5f) / static_cast<float>(cells),
                              (static_cast<float>(cell / cells) + 0.5f) / static_cast<float>(cells)});
        }
    }
    return result;
}

/// regressors [anchors, 4 + 2 * key_points]: centre x, y, width, height and the points' x, y in pixels from the anchor.
inline std::vector<Face> decode(std::span<const float> regressors, std::span<const float> logits, float size, float threshold) {
    const std::vector<std::array<float, 2>> centres = anchors();
    constexpr std::size_t numbers = 4 + 2 * key_points;
    if (logits.size() != centres.size() || regressors.size() != numbers * centres.size()) {
        mote::fail("the network gives ", logits.size(), " scores; 896 of BlazeFace short range are decoded");
    }
    std::vector<Face> faces;
    for (std::size_t i = 0; i < centres.size(); ++i) {
        const float score = 1.0f / (1.0f + std::exp(-std::clamp(logits[i], -100.0f, 100.0f)));
        if (score < threshold) continue;
        const float* r = &regressors[numbers * i];
        const auto [x, y] = centres[i];
        const float cx = x + r[0] / size, cy = y + r[1] / size, w = r[2] / size, h = r[3] / size;
        Face face{score, cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2};
        for (std::size_t p = 0; p < key_points; ++p) face.points[p] = {x + r[4 + 2 * p] / size, y + r[5 + 2 * p] / size};
        faces.push_back(face);
    }
    return faces;
}

/// Intersection over union.
inline float overlap(const Face& a, const Face& b) {
    const float w = std::min(a.right, b.right) - std::max(a.left, b.left);
    const float h = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
    if (w <= 0 || h <= 0) return 0;
    const auto area = [](const Face& f) { return (f.right - f.left) * (f.bottom - f.top); };
    return w * h / (area(a) + area(b) - w * h);
}

/// Non-maximum suppression; what overlaps the best box moves it, by its score (section 3.2 of the paper).
inline std::vector<Face> suppress(std::vector<Face> faces, float most_overlap) {
    std::sort(faces.begin(), faces.end(), [](const Face& a, const Face& b) { return a.score > b.score; });
    std::vector<Face> kept;
    while (!faces.empty()) {
        const Face best = faces.front();
        Face sum{};
        std::erase_if(faces, [&](const Face& face) {
            if (&face != &faces.front() && overlap(best, face) < most_overlap) return false;
            sum.score += face.score;
            sum.left += face.score * face.left, sum.top += face.score * face.top;
            sum.right += face.score * face.right, sum.bottom += face.score * face.bottom;
            for (std::size_t p = 0; p < key_points; ++p) {
                for (std::size_t k = 0; k < 2; ++k) sum.points[p][k] += face.score * face.points[p][k];
            }
            return true;
        });
        Face face{best.score, sum.left / sum.score, sum.top / sum.score, sum.right / sum.score, sum.bottom / sum.score};
        for (std::size_t p = 0; p < key_points; ++p) {
            for (std::size_t k = 0; k < 2; ++k) face.points[p][k] = sum.points[p][k] / sum.score;
        }
        kept.push_back(face);
    }
    return kept;
}

}  // namespace blazeface
