// The include gate must reject this file.
#pragma once
