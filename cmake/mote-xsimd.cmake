# SPDX-License-Identifier: MIT
# Sets MOTE_XSIMD_INCLUDE to the folder of xsimd's headers (8.1 or later), or to a name that ends in NOTFOUND.
find_package(xsimd 8.1 CONFIG QUIET)
if(TARGET xsimd)
    get_target_property(MOTE_XSIMD_INCLUDE xsimd INTERFACE_INCLUDE_DIRECTORIES)
else()
    # Headers serve any processor, but Debian files the package under the desk's: a cross build finds the headers alone.
    find_path(MOTE_XSIMD_INCLUDE xsimd/xsimd.hpp)
endif()
