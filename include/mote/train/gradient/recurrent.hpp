// SPDX-License-Identifier: MIT
#pragma once
// gradient: Lstm, Gru, Rnn: backpropagation through time. The forward pass is computed once more, its gates kept.

#include <mote/engine/lower/recurrent.hpp>
#include <mote/train/gradient/contraction.hpp>

#include <array>
#include <cmath>
#include <limits>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// x = function(x), as a cell computes it; `zeros` are as many.
template <class Lazy = void>
void activate(const KernelTable& kernels, RecurrentFunction function, std::size_t count, const float* zeros,
              float* x) noexcept {
    RecurrentCellF32 cell;
    cell.hidden = static_cast<std::int32_t>(count);
    cell.candidate = function;
    RecurrentRunF32 run;
    run.z = run.h_next = x;
    run.q = zeros;
    kernels.close_cell_f32(cell, run);
}

/// f'(x) from y = f(x), for functions that do not fall; 0 where x was clipped.
struct RecurrentSlope {
    RecurrentSlope(const KernelTable& kernels, RecurrentFunction its_function, float clip) noexcept : function(its_function) {
        if (!(clip > 0.0f)) return;
        float ends[2] = {-clip, clip};
        const float zeros[2] = {};
        activate(kernels, function, 2, zeros, ends);
        lo = ends[0];
        hi = ends[1];
    }
    float operator()(float y) const noexcept {
        if (y <= lo || y >= hi) return 0.0f;
        switch (function) {
            case RecurrentFunction::sigmoid:
                return y * (1.0f - y);
            case RecurrentFunction::tanh:
                return 1.0f - y * y;
            case RecurrentFunction::relu:
                return y > 0.0f ? 1.0f : 0.0f;
            case RecurrentFunction::hard_sigmoid:
                return y > 0.0f && y < 1.0f ? 0.2f : 0.0f;
            case RecurrentFunction::softsign:
                return (1.0f - std::fabs(y)) * (1.0f - std::fabs(y));
            case RecurrentFunction::softplus:
                return 1.0f - std::exp(-y);
            case RecurrentFunction::identity:
                break;
        }
        return 1.0f;
    }
    RecurrentFunction function;
    float lo = -std::numeric_limits<float>::infinity(), hi = std::numeric_limits<float>::infinity();
};

/// The backward pass of a node in one shard. Rows are those of the sequence, `width` numbers each: gates * hidden.
class RecurrenceGradient {
  public:
    RecurrenceGradient(const Recurrence& layer, GradientContext& node)
        : layer_(layer),
          node_(node),
          shape_(node.input().shape, layer.time_major),
          n_(layer.hidden()),
          width_(layer.gates() * n_),
          rows_(shape_.batch * shape_.time),
          cell_(cell_of(layer)),
          gate_(node.kernels(), layer.gate, layer.clip),
          candidate_(node.kernels(), layer.candidate, layer.clip),
          output_(node.kernels(), layer.output, 0.0f) {
        const auto n = narrow<std::int32_t>(n_), width = narrow<std::int32_t>(width_), rows = narrow<std::int32_t>(rows_),
                   batch = narrow<std::int32_t>(shape_.batch), in = narrow<std::int32_t>(shape_.features);
        const KernelTable& kernels = node.kernels();
        std::size_t most = 0;
        for (const auto& [m, columns, k] :
             {std::array{rows, width, in}, std::array{batch, width, n}, std::array{batch, n, width},
              std::array{width, in, rows}, std::array{width, n, rows}, std::array{rows, in, width}, std::array{batch, n, n},
              std::array{2 * n, n, rows}, std::array{batch, 2 * n, n}, std::array{batch, n, 2 * n}, std::array{n, n, rows}}) {
            const std::size_t bytes = kernels.gemm_f32_scratch_bytes(m, columns, k);
            most = bytes > most ? bytes : most;
        }
        gemm_scratch_ = node.scratch<std::byte>(most);
        z_ = node.scratch<float>(rows_ * width_);
        dz_ = node.scratch<float>(rows_ * width_);
        h_before_ = node.scratch<float>(rows_ * n_);
        c_before_ = node.scratch<float>(rows_ * n_);
        c_after_ = node.scratch<float>(rows_ * n_);
        product_ = node.scratch<float>(rows_ * n_);
        dproduct_ = node.scratch<float>(rows_ * n_);
        side_ = node.scratch<float>(shape_.batch * width_);
        small_[0] = node.scratch<float>(shape_.batch * n_);
        small_[1] = node.scratch<float>(shape_.batch * n_);
        state_[0] = node.scratch<float>(shape_.batch * n_);
        state_[1] = node.scratch<float>(shape_.batch * n_);
        if (layer.lengths->empty()) return;
        std::memset(dz_, 0, rows_ * width_ * sizeof(float));  // of rows behind a sample's length
        for (float* rows_of : {h_before_, dproduct_, product_}) std::memset(rows_of, 0, rows_ * n_ * sizeof(float));
    }

    void run() {
        forward();
        backward();
        parameters();
    }

  private:
    bool gru() const noexcept { return layer_.cell == Cell::gru; }
    bool resets_before() const noexcept { return gru() && !layer_.reset_after; }

    /// C (+)= A * B, see GemmF32.
    void multiply(std::size_t m, std::size_t n, std::size_t k, const float* a, std::size_t lda, bool transpose_a,
                  const float* b, std::size_t ldb, bool transpose_b, float* c, std::size_t ldc, bool accumulate) {
        GemmF32 g;
        g.m = narrow<std::int32_t>(m);
        g.n = narrow<std::int32_t>(n);
        g.k = narrow<std::int32_t>(k);
        g.a = a;
        g.lda = narrow<std::int32_t>(lda);
        g.transpose_a = transpose_a;
        g.b = b;
        g.ldb = narrow<std::int32_t>(ldb);
        g.transpose_b = transpose_b;
        g.c = c;
        g.ldc = narrow<std::int32_t>(ldc);
        g.accumulate = accumulate;
        g.scratch = gemm_scratch_;
        node_.kernels().gemm_f32(g);
    }
    void add_candidate_bias(float* values, std::size_t stride) const {
        if (layer_.recurrent_bias == nullptr || layer_.recurrent_bias->empty()) return;
        for (std::size_t b = 0; b < shape_.batch; ++b) {
            for (std::size_t j = 0; j < n_; ++j) values[b * stride + j] += layer_.recurrent_bias->data()[j];
        }
    }

    RecurrentRunF32 cell_run(std::size_t b, std::size_t row) const noexcept {
        RecurrentRunF32 run;
        run.z = z_ + row * width_;
        run.q = side_ + b * width_;
        run.candidate = small_[1] + b * n_;
        run.h = run.h_next = state_[0] + b * n_;
        run.c = run.c_next = state_[1] + b * n_;
        run.reset = small_[0] + b * n_;
        return run;
    }

    void forward() {
        const std::size_t in = shape_.features;
        const float* r = layer_.recurrent->data();
        for (std::size_t i = 0; i < layer_.states(); ++i) {
            const float* given = node_.inputs() > i + 1 ? node_.input_data(i + 1) : nullptr;
            begin_state(*layer_.initial[i], given, 0, shape_.batch, n_, state_[i]);
        }
        multiply(rows_, width_, in, node_.input_data(), in, false, layer_.weight->data(), in, true, z_, width_, false);
        for (std::size_t i = 0; i < (layer_.bias->empty() ? 0 : rows_ * width_); ++i) z_[i] += layer_.bias->data()[i % width_];
        const std::size_t first = resets_before() ? 2 * n_ : width_;
        for (std::size_t step = 0; step < shape_.time; ++step) {
            multiply(shape_.batch, first, n_, state_[0], n_, false, r, n_, true, side_, width_, false);
            if (gru() && !resets_before()) add_candidate_bias(side_ + 2 * n_, width_);
            shape_.for_each_sample(layer_, step, 0, shape_.batch, [&](std::size_t b, std::size_t row) {
                std::memcpy(h_before_ + row * n_, state_[0] + b * n_, n_ * sizeof(float));
                std::memcpy(c_before_ + row * n_, state_[1] + b * n_, n_ * sizeof(float));
                if (resets_before()) node_.kernels().open_cell_f32(cell_, cell_run(b, row));
            });
            if (resets_before()) {
                multiply(shape_.batch, n_, n_, small_[0], n_, false, r + 2 * n_ * n_, n_, true, small_[1], n_, false);
                add_candidate_bias(small_[1], n_);
            }
            shape_.for_each_sample(layer_, step, 0, shape_.batch, [&](std::size_t b, std::size_t row) {
                const RecurrentRunF32 run = cell_run(b, row);
                const float* of_candidate = resets_before() ? run.candidate : run.q + (gru() ? 2 * n_ : 0);
                std::memcpy(product_ + row * n_, of_candidate, n_ * sizeof(float));
                node_.kernels().close_cell_f32(cell_, run);
                std::memcpy(c_after_ + row * n_, run.c, n_ * sizeof(float));
            });
        }
    }

    void backward() {
        const float* r = layer_.recurrent->data();
        float* const dh = state_[0];
        float* const dc = state_[1];
        const std::size_t bytes = shape_.batch * n_ * sizeof(float);
        for (std::size_t i = 0; i < 2; ++i) {
            if (node_.outputs() > i + 1) {
                std::memcpy(state_[i], node_.output_gradient(i + 1), bytes);
            } else {
                std::memset(state_[i], 0, bytes);
            }
        }
        const float* dy = node_.output_gradient();
        for (std::size_t step = shape_.time; step-- > 0;) {
            std::memset(side_, 0, shape_.batch * width_ * sizeof(float));
            if (resets_before()) {
                std::memset(small_[0], 0, bytes);
                shape_.for_each_sample(layer_, step, 0, shape_.batch, [&](std::size_t b, std::size_t row) {
                    candidate_step(row, dy, dh + b * n_, small_[0] + b * n_);
                });
                multiply(shape_.batch, n_, n_, small_[0], n_, false, r + 2 * n_ * n_, n_, false, small_[1], n_, false);
            }
            shape_.for_each_sample(layer_, step, 0, shape_.batch, [&](std::size_t b, std::size_t row) {
                float* const dz = dz_ + row * width_;
                if (layer_.cell == Cell::lstm) {
                    lstm_step(row, dy, dh + b * n_, dc + b * n_, dz);
                } else if (gru()) {
                    gru_step(row, dy, dh + b * n_, small_[1] + b * n_, dz);
                } else {
                    for (std::size_t j = 0; j < n_; ++j) {
                        dz[j] = (dh[b * n_ + j] + dy[row * n_ + j]) * candidate_(z_[row * width_ + j]);
                        dh[b * n_ + j] = 0.0f;
                    }
                }
                float* const side = side_ + b * width_;
                std::memcpy(side, dz, width_ * sizeof(float));
                if (gru() && !resets_before()) std::memcpy(side + 2 * n_, dproduct_ + row * n_, n_ * sizeof(float));
            });
            multiply(shape_.batch, n_, resets_before() ? 2 * n_ : width_, side_, width_, false, r, n_, false, dh, n_, true);
        }
        for (std::size_t i = 1; i < node_.inputs(); ++i) {
            if (!node_.wants(i)) continue;
            const std::span<float> dx = node_.input_gradient(i);
            for (std::size_t j = 0; j < dx.size(); ++j) dx[j] += state_[i - 1][j];
        }
    }

    void lstm_step(std::size_t row, const float* dy, float* dh, float* dc, float* dz) {
        const float* z = z_ + row * width_;
        const float* before = c_before_ + row * n_;
        const float* after = c_after_ + row * n_;
        const float* peephole = layer_.has_peephole() ? layer_.peephole->data() : nullptr;
        const std::span<float> dpeephole = node_.parameter_gradient("peephole");
        float* const squashed = small_[0];
        std::memcpy(squashed, after, n_ * sizeof(float));
        std::memset(small_[1], 0, n_ * sizeof(float));
        activate(node_.kernels(), layer_.output, n_, small_[1], squashed);
        for (std::size_t j = 0; j < n_; ++j) {
            const float i = z[j], f = z[n_ + j], g = z[2 * n_ + j], o = z[3 * n_ + j];
            const float d = dh[j] + dy[row * n_ + j];
            const float d_o = d * squashed[j] * gate_(o);
            float d_c = dc[j] + d * o * output_(squashed[j]);
            if (peephole != nullptr) d_c += d_o * peephole[2 * n_ + j];
            if (layer_.cell_clip > 0.0f && std::fabs(after[j]) >= layer_.cell_clip) d_c = 0.0f;
            const float d_i = d_c * (layer_.coupled ? g - before[j] : g) * gate_(i);
            const float d_f = layer_.coupled ? 0.0f : d_c * before[j] * gate_(f);
            dz[j] = d_i;
            dz[n_ + j] = d_f;
            dz[2 * n_ + j] = d_c * i * candidate_(g);
            dz[3 * n_ + j] = d_o;
            dc[j] = d_c * f;
            dh[j] = 0.0f;
            if (peephole == nullptr) continue;
            dc[j] += d_i * peephole[j] + d_f * peephole[n_ + j];
            dpeephole[j] += d_i * before[j];
            dpeephole[n_ + j] += d_f * before[j];
            dpeephole[2 * n_ + j] += d_o * after[j];
        }
    }

    /// Of a Gru, what enters the candidate's activation.
    void candidate_step(std::size_t row, const float* dy, const float* dh, float* d_candidate) const {
        const float* z = z_ + row * width_;
        for (std::size_t j = 0; j < n_; ++j) {
            d_candidate[j] = (dh[j] + dy[row * n_ + j]) * (1.0f - z[j]) * candidate_(z[2 * n_ + j]);
        }
    }
    /// `dreset`: by r * h, where it resets before the product.
    void gru_step(std::size_t row, const float* dy, float* dh, const float* dreset, float* dz) {
        const float* z = z_ + row * width_;
        const float* before = h_before_ + row * n_;
        candidate_step(row, dy, dh, dz + 2 * n_);
        for (std::size_t j = 0; j < n_; ++j) {
            const float d = dh[j] + dy[row * n_ + j], update = z[j], reset = z[n_ + j], dn = dz[2 * n_ + j];
            dz[j] = d * (before[j] - z[2 * n_ + j]) * gate_(update);
            dz[n_ + j] = (resets_before() ? dreset[j] * before[j] : dn * product_[row * n_ + j]) * gate_(reset);
            dproduct_[row * n_ + j] = resets_before() ? dn : dn * reset;
            dh[j] = d * update + (resets_before() ? dreset[j] * reset : 0.0f);
        }
    }

    void parameters() {
        const std::size_t in = shape_.features;
        const float* x = node_.input_data();
        float* const dw = node_.parameter_gradient("weight").data();
        float* const dr = node_.parameter_gradient("recurrent").data();
        multiply(width_, in, rows_, dz_, width_, true, x, in, false, dw, in, true);
        add_columns(rows_, width_, dz_, node_.parameter_gradient("bias"));
        if (gru()) {
            multiply(2 * n_, n_, rows_, dz_, width_, true, h_before_, n_, false, dr, n_, true);
            add_columns(rows_, n_, dproduct_, node_.parameter_gradient("recurrent_bias"));
            for (std::size_t i = 0; resets_before() && i < rows_ * n_; ++i) {
                const float reset = z_[i / n_ * width_ + n_ + i % n_];
                h_before_[i] *= reset;
            }
            multiply(n_, n_, rows_, dproduct_, n_, true, h_before_, n_, false, dr + 2 * n_ * n_, n_, true);
        } else {
            multiply(width_, n_, rows_, dz_, width_, true, h_before_, n_, false, dr, n_, true);
        }
        if (!node_.wants(0)) return;
        const GradientSink dx = node_.input_sink(0);
        multiply(rows_, in, width_, dz_, width_, false, layer_.weight->data(), in, false, dx.data, in, dx.accumulate);
    }

    const Recurrence& layer_;
    GradientContext& node_;
    SequenceShape shape_;
    std::size_t n_, width_, rows_;
    RecurrentCellF32 cell_;
    RecurrentSlope gate_, candidate_, output_;
    std::byte* gemm_scratch_ = nullptr;
    float* z_ = nullptr;         // what the activations gave
    float* dz_ = nullptr;        // the gradient by what entered them
    float* h_before_ = nullptr;  // each step's states
    float* c_before_ = nullptr;
    float* c_after_ = nullptr;
    float* product_ = nullptr;  // the candidate's product with the states, of a Gru
    float* dproduct_ = nullptr;
    float* side_ = nullptr;
    float* small_[2] = {};
    float* state_[2] = {};
};

inline void recurrence_gradient(const Recurrence& layer, GradientContext& node) {
    RecurrenceGradient(layer, node).run();
}

}  // namespace detail

inline void gradient(const Lstm<f32>& layer, GradientContext& node) {
    detail::recurrence_gradient(detail::recurrence(layer), node);
}
inline void gradient(const Gru<f32>& layer, GradientContext& node) {
    detail::recurrence_gradient(detail::recurrence(layer), node);
}
inline void gradient(const Rnn<f32>& layer, GradientContext& node) {
    detail::recurrence_gradient(detail::recurrence(layer), node);
}

MOTE_END_NAMESPACE
