# Apache, whose processes take turns at accept() by a System V semaphore where there are two ports, under ab.
UNIT=requests/s BAR=1
PORT=18473

wanted() { need_command apache2 apache2-bin && need_command ab apache2-utils; }

prepare() {
    mkdir -p htdocs && echo hello >htdocs/index.html && cat >httpd.conf <<CONF
ServerRoot $PWD
ServerName localhost
Listen 127.0.0.1:$PORT
Listen 127.0.0.1:$((PORT + 1))
PidFile $PWD/httpd.pid
ErrorLog $PWD/error.log
LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
DocumentRoot $PWD/htdocs
Mutex sysvsem default
StartServers 8
MinSpareServers 8
MaxSpareServers 8
CONF
}

answers() { (: <"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; }

play() {
    # In a namespace of its own the next one would find its number in it.
    rm -f httpd.pid
    with_ipc apache2 -d "$PWD" -f "$PWD/httpd.conf" -DFOREGROUND &
    until_true answers && until_true used sem 2>/dev/null &&
        ab -q -n $((SECONDS_OF_RUN * 2000)) -c 8 "http://127.0.0.1:$PORT/index.html" >ab.log || return
    awk '/^Failed requests:/ && $3 != 0 { exit 1 } /^Requests per second:/ { print $4 }' ab.log
    kill "$!" && wait
}
