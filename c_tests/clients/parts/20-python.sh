# Python: multiprocessing, which is its own, and the modules sysv_ipc and posix_ipc.

# python_client MODULE SCRIPT
python_client() {
    if ! "$PYTHON" -c "import $1" 2>/dev/null; then
        skip "python-$2" "no $1 (type: packaging/setup check)"
        return
    fi
    oracle "python-$2" "${CONTAINED[@]}" "$PYTHON" "$CLIENTS/$2.py"
}

multiprocessing() {
    local how
    for how in fork spawn; do
        wants "python-multiprocessing-$how" /usr/bin/python3 python3 || continue
        oracle "python-multiprocessing-$how" "${CONTAINED[@]}" /usr/bin/python3 "$CLIENTS/multi.py" "$how"
    done
}

multiprocessing
for what in queue semaphore memory; do
    python_client sysv_ipc "sysv_$what"
    python_client posix_ipc "posix_$what"
done
