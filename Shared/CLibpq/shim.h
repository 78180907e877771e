#pragma once
#include <libpq-fe.h>
#include <poll.h>

/// Field code of the SQLSTATE in an error result; a character macro, which Swift does not import.
static const int IAAS_PG_DIAG_SQLSTATE = PG_DIAG_SQLSTATE;
static const int IAAS_PG_DIAG_CONSTRAINT_NAME = PG_DIAG_CONSTRAINT_NAME;
