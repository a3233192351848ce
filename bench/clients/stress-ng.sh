# A stressor of stress-ng's, twice.
UNIT="bogo ops/s" BAR=5

wanted() { need_command stress-ng stress-ng; }

prepare() { :; }

play() {
    with_ipc stress-ng --metrics-brief "--$PART" 2 --timeout "$SECONDS_OF_RUN" >stress.log 2>&1 || return
    awk -v stressor="$PART" '$4 == stressor { print $9; exit }' stress.log
}
