/*
 * The scenes of cancel.c compiled with -fexceptions (run.sh sees to it): the cleanup handlers are then
 * found by unwinding the stack, through the library's frames.
 */
#include "cancel.c"
