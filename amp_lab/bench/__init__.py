"""Speed of the engine on workloads that other systems are measured with too."""
