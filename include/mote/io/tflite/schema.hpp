// SPDX-License-Identifier: MIT
#pragma once
// The TensorFlow Lite schema, version 3, as far as it is read: tables and their field numbers, operators, tensor types.
//
// A field's number is its place in its table of the public schema; a union takes two, its kind and its table.

#include <mote/core/precision.hpp>

#include <iterator>
#include <span>
#include <string_view>

MOTE_BEGIN_NAMESPACE

namespace tflite {

inline constexpr char identifier[] = {'T', 'F', 'L', '3'};  ///< bytes 4 to 7 of a file
inline constexpr std::uint32_t version = 3;

// ---------------------------------------------------------------------------------------------------- tensor types

/// What a tensor type is; `bits` is 0 where elements have no fixed size, `known` tells whether `element` is the same.
struct TensorType {
    const char* name;
    std::uint8_t bits;
    bool known = false;
    Element element = Element::f32;
};
/// By number.
inline constexpr TensorType tensor_types[] = {
    {"FLOAT32", 32, true, Element::f32},
    {"FLOAT16", 16, true, Element::f16},
    {"INT32", 32, true, Element::i32},
    {"UINT8", 8, true, Element::u8},
    {"INT64", 64, true, Element::i64},
    {"STRING", 0},
    {"BOOL", 8, true, Element::b8},
    {"INT16", 16, true, Element::i16},
    {"COMPLEX64", 64},
    {"INT8", 8, true, Element::i8},
    {"FLOAT64", 64, true, Element::f64},
    {"COMPLEX128", 128},
    {"UINT64", 64},
    {"RESOURCE", 0},
    {"VARIANT", 0},
    {"UINT32", 32},
    {"UINT16", 16},
    {"INT4", 4, true, Element::i4},
    {"BFLOAT16", 16, true, Element::bf16},
};

// ------------------------------------------------------------------------------------------------------- operators

/// Names of the builtin operators, by number.
inline constexpr std::string_view operator_names[] = {
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE",
    "EMBEDDING_LOOKUP", "FLOOR", "FULLY_CONNECTED",
    // 10
    "HASHTABLE_LOOKUP", "L2_NORMALIZATION", "L2_POOL_2D", "LOCAL_RESPONSE_NORMALIZATION", "LOGISTIC", "LSH_PROJECTION", "LSTM",
    "MAX_POOL_2D", "MUL", "RELU",
    // 20
    "RELU_N1_TO_1", "RELU6", "RESHAPE", "RESIZE_BILINEAR", "RNN", "SOFTMAX", "SPACE_TO_DEPTH", "SVDF", "TANH",
    "CONCAT_EMBEDDINGS",
    // 30
    "SKIP_GRAM", "CALL", "CUSTOM", "EMBEDDING_LOOKUP_SPARSE", "PAD", "UNIDIRECTIONAL_SEQUENCE_RNN", "GATHER",
    "BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND", "TRANSPOSE",
    // 40
    "MEAN", "SUB", "DIV", "SQUEEZE", "UNIDIRECTIONAL_SEQUENCE_LSTM", "STRIDED_SLICE", "BIDIRECTIONAL_SEQUENCE_RNN", "EXP",
    "TOPK_V2", "SPLIT",
    // 50
    "LOG_SOFTMAX", "DELEGATE", "BIDIRECTIONAL_SEQUENCE_LSTM", "CAST", "PRELU", "MAXIMUM", "ARG_MAX", "MINIMUM", "LESS", "NEG",
    // 60
    "PADV2", "GREATER", "GREATER_EQUAL", "LESS_EQUAL", "SELECT", "SLICE", "SIN", "TRANSPOSE_CONV", "SPARSE_TO_DENSE", "TILE",
    // 70
    "EXPAND_DIMS", "EQUAL", "NOT_EQUAL", "LOG", "SUM", "SQRT", "RSQRT", "SHAPE", "POW", "ARG_MIN",
    // 80
    "FAKE_QUANT", "REDUCE_PROD", "REDUCE_MAX", "PACK", "LOGICAL_OR", "ONE_HOT", "LOGICAL_AND", "LOGICAL_NOT", "UNPACK",
    "REDUCE_MIN",
    // 90
    "FLOOR_DIV", "REDUCE_ANY", "SQUARE", "ZEROS_LIKE", "FILL", "FLOOR_MOD", "RANGE", "RESIZE_NEAREST_NEIGHBOR", "LEAKY_RELU",
    "SQUARED_DIFFERENCE",
    // 100
    "MIRROR_PAD", "ABS", "SPLIT_V", "UNIQUE", "CEIL", "REVERSE_V2", "ADD_N", "GATHER_ND", "COS", "WHERE",
    // 110
    "RANK", "ELU", "REVERSE_SEQUENCE", "MATRIX_DIAG", "QUANTIZE", "MATRIX_SET_DIAG", "ROUND", "HARD_SWISH", "IF", "WHILE",
    // 120
    "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5", "SCATTER_ND", "SELECT_V2", "DENSIFY", "SEGMENT_SUM", "BATCH_MATMUL",
    "PLACEHOLDER_FOR_GREATER_OP_CODES", "CUMSUM", "CALL_ONCE",
    // 130
    "BROADCAST_TO", "RFFT2D", "CONV_3D", "IMAG", "REAL", "COMPLEX_ABS", "HASHTABLE", "HASHTABLE_FIND", "HASHTABLE_IMPORT",
    "HASHTABLE_SIZE",
    // 140
    "REDUCE_ALL", "CONV_3D_TRANSPOSE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "BROADCAST_ARGS",
    "RANDOM_STANDARD_NORMAL", "BUCKETIZE", "RANDOM_UNIFORM", "MULTINOMIAL",
    // 150
    "GELU", "DYNAMIC_UPDATE_SLICE", "RELU_0_TO_1", "UNSORTED_SEGMENT_PROD", "UNSORTED_SEGMENT_MAX", "UNSORTED_SEGMENT_SUM",
    "ATAN2", "UNSORTED_SEGMENT_MIN", "SIGN", "BITCAST",
    // 160
    "BITWISE_XOR", "RIGHT_SHIFT", "STABLEHLO_LOGISTIC", "STABLEHLO_ADD", "STABLEHLO_DIVIDE", "STABLEHLO_MULTIPLY",
    "STABLEHLO_MAXIMUM", "STABLEHLO_RESHAPE", "STABLEHLO_CLAMP", "STABLEHLO_CONCATENATE",
    // 170
    "STABLEHLO_BROADCAST_IN_DIM", "STABLEHLO_CONVOLUTION", "STABLEHLO_SLICE", "STABLEHLO_CUSTOM_CALL", "STABLEHLO_REDUCE",
    "STABLEHLO_ABS", "STABLEHLO_AND", "STABLEHLO_COSINE", "STABLEHLO_EXPONENTIAL", "STABLEHLO_FLOOR",
    // 180
    "STABLEHLO_LOG", "STABLEHLO_MINIMUM", "STABLEHLO_NEGATE", "STABLEHLO_OR", "STABLEHLO_POWER", "STABLEHLO_REMAINDER",
    "STABLEHLO_RSQRT", "STABLEHLO_SELECT", "STABLEHLO_SUBTRACT", "STABLEHLO_TANH",
    // 190
    "STABLEHLO_SCATTER", "STABLEHLO_COMPARE", "STABLEHLO_CONVERT", "STABLEHLO_DYNAMIC_SLICE", "STABLEHLO_DYNAMIC_UPDATE_SLICE",
    "STABLEHLO_PAD", "STABLEHLO_IOTA", "STABLEHLO_DOT_GENERAL", "STABLEHLO_REDUCE_WINDOW", "STABLEHLO_SORT",
    // 200
    "STABLEHLO_WHILE", "STABLEHLO_GATHER", "STABLEHLO_TRANSPOSE", "DILATE", "STABLEHLO_RNG_BIT_GENERATOR", "REDUCE_WINDOW",
    "STABLEHLO_COMPOSITE", "STABLEHLO_SHIFT_LEFT", "STABLEHLO_CBRT", "STABLEHLO_CASE"};

/// The operator's number; a name that is not in the list does not compile.
consteval std::int32_t operator_code(std::string_view name) {
    std::size_t code = 0;
    while (operator_names[code] != name) ++code;
    return static_cast<std::int32_t>(code);
}
/// The operator's name; empty for a number that is not in the list.
constexpr std::string_view operator_name(std::int32_t code) noexcept {
    return code >= 0 && code < static_cast<std::int32_t>(std::size(operator_names))
               ? operator_names[static_cast<std::size_t>(code)]
               : std::string_view();
}

// ---------------------------------------------------------------------------------------------------------- tables

struct OneTable {};    ///< a field that is a table
struct ManyTables {};  ///< a field that is a list of tables
template <class T>
using List = std::span<const T>;

/// A field of a table: its number, and its value where a file does not state it.
template <class T>
struct SchemaField {
    std::uint16_t number;
    T absent{};
};

namespace model {
inline constexpr SchemaField<std::uint32_t> version{0};
inline constexpr SchemaField<ManyTables> operator_codes{1};
inline constexpr SchemaField<ManyTables> subgraphs{2};
inline constexpr SchemaField<std::string_view> description{3};
inline constexpr SchemaField<ManyTables> buffers{4};
}  // namespace model

/// The operator's number is the greater one of the two: the first stays at 127 where it does not fit.
namespace operator_code_table {
inline constexpr SchemaField<std::int8_t> deprecated_builtin_code{0};
inline constexpr SchemaField<std::string_view> custom_code{1};
inline constexpr SchemaField<std::int32_t> version{2, 1};
inline constexpr SchemaField<std::int32_t> builtin_code{3};
}  // namespace operator_code_table

/// A buffer's bytes are `data`, or stand in the file behind the tables; an offset of 0 or 1 is none.
namespace buffer {
inline constexpr SchemaField<List<std::uint8_t>> data{0};
inline constexpr SchemaField<std::uint64_t> offset{1};
inline constexpr SchemaField<std::uint64_t> size{2};
}  // namespace buffer

namespace subgraph {
inline constexpr SchemaField<ManyTables> tensors{0};
inline constexpr SchemaField<List<std::int32_t>> inputs{1};
inline constexpr SchemaField<List<std::int32_t>> outputs{2};
inline constexpr SchemaField<ManyTables> operators{3};
inline constexpr SchemaField<std::string_view> name{4};
}  // namespace subgraph

namespace tensor {
inline constexpr SchemaField<List<std::int32_t>> shape{0};
inline constexpr SchemaField<std::int8_t> type{1};
inline constexpr SchemaField<std::uint32_t> buffer{2};
inline constexpr SchemaField<std::string_view> name{3};
inline constexpr SchemaField<OneTable> quantization{4};
inline constexpr SchemaField<bool> is_variable{5};
inline constexpr SchemaField<OneTable> sparsity{6};
inline constexpr SchemaField<List<std::int32_t>> shape_signature{7};
}  // namespace tensor

namespace quantization {
inline constexpr SchemaField<List<float>> min{0};
inline constexpr SchemaField<List<float>> max{1};
inline constexpr SchemaField<List<float>> scale{2};
inline constexpr SchemaField<List<std::int64_t>> zero_point{3};
inline constexpr SchemaField<std::uint8_t> details_kind{4};  ///< 0 none, 1 custom, 2 blockwise
inline constexpr SchemaField<std::int32_t> quantized_dimension{6};
}  // namespace quantization

namespace sparsity {
inline constexpr SchemaField<List<std::int32_t>> traversal_order{0};
inline constexpr SchemaField<List<std::int32_t>> block_map{1};
inline constexpr SchemaField<ManyTables> dim_metadata{2};
}  // namespace sparsity

/// One level of a sparse tensor. Its index lists are a union: 1 int32, 2 uint16, 3 uint8; each table's field 0 holds them.
namespace dimension {
inline constexpr SchemaField<std::int8_t> format{0};  ///< 0 dense, 1 sparse by segments and indices
inline constexpr SchemaField<std::int32_t> dense_size{1};
inline constexpr SchemaField<std::uint8_t> segments_kind{2};
inline constexpr SchemaField<OneTable> segments{3};
inline constexpr SchemaField<std::uint8_t> indices_kind{4};
inline constexpr SchemaField<OneTable> indices{5};
}  // namespace dimension
namespace index_list {
inline constexpr SchemaField<List<std::int32_t>> int32{0};
inline constexpr SchemaField<List<std::uint16_t>> uint16{0};
inline constexpr SchemaField<List<std::uint8_t>> uint8{0};
}  // namespace index_list

namespace op {
inline constexpr SchemaField<std::uint32_t> opcode_index{0};
inline constexpr SchemaField<List<std::int32_t>> inputs{1};
inline constexpr SchemaField<List<std::int32_t>> outputs{2};
inline constexpr SchemaField<std::uint8_t> options_kind{3};
inline constexpr SchemaField<OneTable> options{4};
inline constexpr SchemaField<List<std::uint8_t>> custom_options{5};
inline constexpr SchemaField<List<std::uint8_t>> mutating_variable_inputs{7};
inline constexpr SchemaField<List<std::int32_t>> intermediates{8};
inline constexpr SchemaField<std::uint64_t> large_custom_options_offset{9};
inline constexpr SchemaField<std::uint64_t> large_custom_options_size{10};
}  // namespace op

// --------------------------------------------------------------------------------------------------------- options

/// A field of an operator's options table; `kind` is the table's number in the union.
template <class T>
struct Option {
    std::uint8_t kind;
    SchemaField<T> field;
};

// `count` is the number of values that are known.
enum class Padding : std::int8_t { same, valid, count };
enum class Activation : std::int8_t { none, relu, relu_n1_to_1, relu6, tanh, sign_bit, count };
enum class WeightsFormat : std::int8_t { dense, shuffled_4x16_int8, count };
enum class LstmKernel : std::int8_t { full, basic, count };
enum class MirrorMode : std::int8_t { reflect, symmetric, count };

/// CONV_2D
namespace conv_2d {
inline constexpr Option<Padding> padding{1, {0}};
inline constexpr Option<std::int32_t> stride_w{1, {1}};
inline constexpr Option<std::int32_t> stride_h{1, {2}};
inline constexpr Option<Activation> activation{1, {3}};
inline constexpr Option<std::int32_t> dilation_w{1, {4, 1}};
inline constexpr Option<std::int32_t> dilation_h{1, {5, 1}};
}  // namespace conv_2d
/// DEPTHWISE_CONV_2D
namespace depthwise_conv_2d {
inline constexpr Option<Padding> padding{2, {0}};
inline constexpr Option<std::int32_t> stride_w{2, {1}};
inline constexpr Option<std::int32_t> stride_h{2, {2}};
inline constexpr Option<std::int32_t> depth_multiplier{2, {3}};
inline constexpr Option<Activation> activation{2, {4}};
inline constexpr Option<std::int32_t> dilation_w{2, {5, 1}};
inline constexpr Option<std::int32_t> dilation_h{2, {6, 1}};
}  // namespace depthwise_conv_2d
/// AVERAGE_POOL_2D, MAX_POOL_2D, L2_POOL_2D
namespace pool_2d {
inline constexpr Option<Padding> padding{5, {0}};
inline constexpr Option<std::int32_t> stride_w{5, {1}};
inline constexpr Option<std::int32_t> stride_h{5, {2}};
inline constexpr Option<std::int32_t> filter_width{5, {3}};
inline constexpr Option<std::int32_t> filter_height{5, {4}};
inline constexpr Option<Activation> activation{5, {5}};
}  // namespace pool_2d
namespace svdf {
inline constexpr Option<std::int32_t> rank{6, {0}};
inline constexpr Option<Activation> activation{6, {1}};
inline constexpr Option<bool> asymmetric_quantize_inputs{6, {2}};
}  // namespace svdf
namespace rnn {
inline constexpr Option<Activation> activation{7, {0}};
}  // namespace rnn
namespace fully_connected {
inline constexpr Option<Activation> activation{8, {0}};
inline constexpr Option<WeightsFormat> weights_format{8, {1}};
inline constexpr Option<bool> keep_num_dims{8, {2}};
inline constexpr Option<bool> asymmetric_quantize_inputs{8, {3}};
}  // namespace fully_connected
namespace softmax {
inline constexpr Option<float> beta{9, {0}};
}  // namespace softmax
namespace concatenation {
inline constexpr Option<std::int32_t> axis{10, {0}};
inline constexpr Option<Activation> activation{10, {1}};
}  // namespace concatenation
namespace add {
inline constexpr Option<Activation> activation{11, {0}};
inline constexpr Option<bool> pot_scale_int16{11, {1, true}};
}  // namespace add
namespace l2_normalization {
inline constexpr Option<Activation> activation{12, {0}};
}  // namespace l2_normalization
namespace local_response_normalization {
inline constexpr Option<std::int32_t> radius{13, {0}};
inline constexpr Option<float> bias{13, {1}};
inline constexpr Option<float> alpha{13, {2}};
inline constexpr Option<float> beta{13, {3}};
}  // namespace local_response_normalization
namespace lstm {
inline constexpr Option<Activation> activation{14, {0}};
inline constexpr Option<float> cell_clip{14, {1}};
inline constexpr Option<float> proj_clip{14, {2}};
inline constexpr Option<LstmKernel> kernel{14, {3}};
}  // namespace lstm
namespace resize_bilinear {
inline constexpr Option<bool> align_corners{15, {2}};
inline constexpr Option<bool> half_pixel_centers{15, {3}};
}  // namespace resize_bilinear
namespace reshape {
inline constexpr Option<List<std::int32_t>> new_shape{17, {0}};
}  // namespace reshape
namespace space_to_depth {
inline constexpr Option<std::int32_t> block_size{19, {0}};
}  // namespace space_to_depth
namespace mul {
inline constexpr Option<Activation> activation{21, {0}};
}  // namespace mul
namespace gather {
inline constexpr Option<std::int32_t> axis{23, {0}};
inline constexpr Option<std::int32_t> batch_dims{23, {1}};
}  // namespace gather
/// MEAN, SUM, REDUCE_MAX, REDUCE_MIN, REDUCE_PROD, REDUCE_ANY, REDUCE_ALL
namespace reducer {
inline constexpr Option<bool> keep_dims{27, {0}};
}  // namespace reducer
namespace sub {
inline constexpr Option<Activation> activation{28, {0}};
inline constexpr Option<bool> pot_scale_int16{28, {1, true}};
}  // namespace sub
namespace div {
inline constexpr Option<Activation> activation{29, {0}};
}  // namespace div
namespace squeeze {
inline constexpr Option<List<std::int32_t>> squeeze_dims{30, {0}};
}  // namespace squeeze
namespace unidirectional_sequence_rnn {
inline constexpr Option<bool> time_major{31, {0}};
inline constexpr Option<Activation> activation{31, {1}};
}  // namespace unidirectional_sequence_rnn
namespace strided_slice {
inline constexpr Option<std::int32_t> begin_mask{32, {0}};
inline constexpr Option<std::int32_t> end_mask{32, {1}};
inline constexpr Option<std::int32_t> ellipsis_mask{32, {2}};
inline constexpr Option<std::int32_t> new_axis_mask{32, {3}};
inline constexpr Option<std::int32_t> shrink_axis_mask{32, {4}};
inline constexpr Option<bool> offset{32, {5}};
}  // namespace strided_slice
namespace split {
inline constexpr Option<std::int32_t> num_splits{35, {0}};
}  // namespace split
/// Both are numbers of tensor types.
namespace cast {
inline constexpr Option<std::int8_t> in_data_type{37, {0}};
inline constexpr Option<std::int8_t> out_data_type{37, {1}};
}  // namespace cast
namespace arg_max {
inline constexpr Option<std::int8_t> output_type{40, {0}};
}  // namespace arg_max
namespace transpose_conv {
inline constexpr Option<Padding> padding{49, {0}};
inline constexpr Option<std::int32_t> stride_w{49, {1}};
inline constexpr Option<std::int32_t> stride_h{49, {2}};
inline constexpr Option<Activation> activation{49, {3}};
}  // namespace transpose_conv
namespace shape {
inline constexpr Option<std::int8_t> out_type{55, {0}};
}  // namespace shape
namespace arg_min {
inline constexpr Option<std::int8_t> output_type{57, {0}};
}  // namespace arg_min
namespace fake_quant {
inline constexpr Option<float> min{58, {0}};
inline constexpr Option<float> max{58, {1}};
inline constexpr Option<std::int32_t> num_bits{58, {2}};
inline constexpr Option<bool> narrow_range{58, {3}};
}  // namespace fake_quant
namespace pack {
inline constexpr Option<std::int32_t> values_count{59, {0}};
inline constexpr Option<std::int32_t> axis{59, {1}};
}  // namespace pack
namespace one_hot {
inline constexpr Option<std::int32_t> axis{61, {0}};
}  // namespace one_hot
namespace unpack {
inline constexpr Option<std::int32_t> num{64, {0}};
inline constexpr Option<std::int32_t> axis{64, {1}};
}  // namespace unpack
namespace bidirectional_sequence_lstm {
inline constexpr Option<Activation> activation{69, {0}};
inline constexpr Option<float> cell_clip{69, {1}};
inline constexpr Option<float> proj_clip{69, {2}};
inline constexpr Option<bool> merge_outputs{69, {3}};
inline constexpr Option<bool> time_major{69, {4, true}};
}  // namespace bidirectional_sequence_lstm
namespace unidirectional_sequence_lstm {
inline constexpr Option<Activation> activation{71, {0}};
inline constexpr Option<float> cell_clip{71, {1}};
inline constexpr Option<float> proj_clip{71, {2}};
inline constexpr Option<bool> time_major{71, {3}};
inline constexpr Option<bool> asymmetric_quantize_inputs{71, {4}};
inline constexpr Option<bool> diagonal_recurrent_tensors{71, {5}};
}  // namespace unidirectional_sequence_lstm
namespace resize_nearest_neighbor {
inline constexpr Option<bool> align_corners{74, {0}};
inline constexpr Option<bool> half_pixel_centers{74, {1}};
}  // namespace resize_nearest_neighbor
namespace leaky_relu {
inline constexpr Option<float> alpha{75, {0}};
}  // namespace leaky_relu
namespace mirror_pad {
inline constexpr Option<MirrorMode> mode{77, {0}};
}  // namespace mirror_pad
namespace split_v {
inline constexpr Option<std::int32_t> num_splits{79, {0}};
}  // namespace split_v
namespace reverse_sequence {
inline constexpr Option<std::int32_t> seq_dim{87, {0}};
inline constexpr Option<std::int32_t> batch_dim{87, {1}};
}  // namespace reverse_sequence
namespace depth_to_space {
inline constexpr Option<std::int32_t> block_size{94, {0}};
}  // namespace depth_to_space
namespace batch_matmul {
inline constexpr Option<bool> adj_x{101, {0}};
inline constexpr Option<bool> adj_y{101, {1}};
}  // namespace batch_matmul
namespace cumsum {
inline constexpr Option<bool> exclusive{102, {0}};
inline constexpr Option<bool> reverse{102, {1}};
}  // namespace cumsum
/// CONV_3D, CONV_3D_TRANSPOSE
namespace conv_3d {
inline constexpr Option<Padding> padding{106, {0}};
inline constexpr Option<std::int32_t> stride_d{106, {1}};
inline constexpr Option<std::int32_t> stride_w{106, {2}};
inline constexpr Option<std::int32_t> stride_h{106, {3}};
inline constexpr Option<Activation> activation{106, {4}};
inline constexpr Option<std::int32_t> dilation_d{106, {5, 1}};
inline constexpr Option<std::int32_t> dilation_w{106, {6, 1}};
inline constexpr Option<std::int32_t> dilation_h{106, {7, 1}};
}  // namespace conv_3d
namespace gelu {
inline constexpr Option<bool> approximate{116, {0}};
}  // namespace gelu

}  // namespace tflite

MOTE_END_NAMESPACE
