// SPDX-License-Identifier: MIT
#pragma once
// couple: Lstm, Gru, Rnn, Svdf.

#include <mote/layers/recurrent.hpp>
#include <mote/transform/couple/context.hpp>

MOTE_BEGIN_NAMESPACE

template <class P>
void couple(const Lstm<P>&, CoupleContext& node) {
    node.lock("reads each hidden unit at every step");
}
template <class P>
void couple(const Gru<P>&, CoupleContext& node) {
    node.lock("reads each hidden unit at every step");
}
template <class P>
void couple(const Rnn<P>&, CoupleContext& node) {
    node.lock("reads each hidden unit at every step");
}
template <class P>
void couple(const Svdf<P>&, CoupleContext& node) {
    node.lock("remembers each filter");
}

MOTE_END_NAMESPACE
