/* Includes all headers of the C interface. */
#ifndef AMP_H
#define AMP_H
#include "buffer.h"
#include "diag.h"
#include "graph.h"
#include "history.h"
#include "meter.h"
#include "metrics.h"
#include "node.h"
#include "quantize.h"
#include "run.h"
#include "status.h"
#include "stream.h"
#include "violation.h"
#include "write_graph.h"
#include "write_history.h"
#endif
