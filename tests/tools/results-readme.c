/* results-readme > results/README.md */
#include <stdio.h>

#include "results/document.h"

int main(void)
{
    document_write(stdout);
    return fflush(stdout) ? 1 : 0;
}
