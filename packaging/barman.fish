# Both names are completed by barkeep.fish, which this loads.
complete -C 'barkeep ' >/dev/null
