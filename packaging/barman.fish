complete -c barman -w barkeep
