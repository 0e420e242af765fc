cat <<-'E O' >/etc/x; ls
	body $(rm)
	E O
id
<<A <<B
A
B
