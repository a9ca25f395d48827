"""The ladder a team climbs, Baseline → Repeatable → Mature, and which rung a workspace stands on. Pure."""
