"""The program `bin/osdi`: its options, its signals, and the sentence and exit code with which it ends."""
