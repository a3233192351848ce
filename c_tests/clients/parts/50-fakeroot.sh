# fakeroot, in the variant that uses System V queues and semaphores.

if wants fakeroot fakeroot-sysv fakeroot && wants fakeroot dpkg-deb dpkg; then
    user_tests fakeroot fakeroot.sh
fi
