import QtQuick
import QtQuick.Window
import CitizensWindow
import "controls"
import "theme"

// The one window: header, page, keyboard, footer, and what may cover them.
Window {
    id: window

    property bool kiosk: false
    property string shown: ""

    title: qsTr("市民之窗")
    width: 1080
    height: 1920
    color: Theme.canvas
    flags: kiosk ? Qt.Window | Qt.FramelessWindowHint : Qt.Window
    visibility: kiosk ? Window.FullScreen : Window.Windowed
    onClosing: close => close.accepted = !window.kiosk

    Binding {
        target: Theme
        property: "screenWidth"
        value: window.width
    }

    Binding {
        target: Theme
        property: "screenHeight"
        value: window.height
    }

    Item {
        id: root
        anchors.fill: parent
        focus: true

        // every touch counts as "still here", wherever it lands
        PointHandler {
            onActiveChanged: if (active) Chrome.touched()
        }

        HoverHandler {
            enabled: window.kiosk
            cursorShape: Qt.BlankCursor
        }

        TopBar {
            id: header
            width: parent.width
        }

        Rectangle {
            id: help
            anchors.top: header.bottom
            width: parent.width
            height: Chrome.helpCalled ? told.implicitHeight + 28 : 0
            visible: Chrome.helpCalled
            color: Theme.toneTint(Chrome.helpTone)

            Label {
                id: told
                anchors.centerIn: parent
                width: parent.width - 2 * Theme.margin
                horizontalAlignment: Text.AlignHCenter
                text: Chrome.helpTitle + "。" + Chrome.helpText
                font.pixelSize: Theme.caption + 2
                font.weight: Font.Medium
                color: Theme.toneInk(Chrome.helpTone)
                Accessible.role: Accessible.AlertMessage
            }
        }

        Rectangle {
            id: take
            anchors.top: help.bottom
            width: parent.width
            height: Chrome.paperWaiting !== "" ? words.implicitHeight + 28 : 0
            visible: Chrome.paperWaiting !== ""
            color: Theme.toneTint("warn")

            Label {
                id: words
                anchors.centerIn: parent
                width: parent.width - 2 * Theme.margin
                horizontalAlignment: Text.AlignHCenter
                text: Chrome.paperWaiting
                font.pixelSize: Theme.roomy
                font.weight: Font.Medium
                color: Theme.toneInk("warn")
                Accessible.role: Accessible.AlertMessage
            }
        }

        Loader {
            id: place
            anchors.top: take.bottom
            anchors.bottom: footer.top
            width: parent.width
            enabled: !Chrome.warning && !Chrome.papersLeft && Chrome.leftCard === ""
            onLoaded: if (Theme.quick > 0) arrive.restart()

            NumberAnimation {
                id: arrive
                target: place
                property: "opacity"
                from: 0.2
                to: 1
                duration: Theme.quick
            }
        }

        FootBar {
            id: footer
            enabled: place.enabled
            anchors.bottom: parent.bottom
            width: parent.width
        }

        KeyboardPanel {
            visible: Keyboard.visible && place.enabled
            anchors.bottom: footer.top
            anchors.right: parent.right
            width: Theme.keyboardWidth
            height: Theme.keyboardHeight
        }

        Loader {
            anchors.fill: parent
            active: Chrome.papersLeft && !Chrome.warning && Chrome.leftCard === ""

            sourceComponent: PaperAlarm {}
        }

        Loader {
            anchors.fill: parent
            active: Chrome.warning && Chrome.leftCard === ""

            sourceComponent: IdleDialog {}
        }

        Loader {
            anchors.fill: parent
            active: Chrome.leftCard !== ""

            sourceComponent: CardAlarm {}
        }
    }

    Connections {
        target: Keyboard

        function onConfirmed(): void {
            root.forceActiveFocus()
        }
    }

    Connections {
        target: Chrome

        function onChanged(): void {
            if (window.shown === Chrome.pageKey)
                return
            window.shown = Chrome.pageKey
            root.forceActiveFocus()
            // two pages of the same kind are two pages: nothing of the first may stay in the second
            place.source = ""
            place.source = "pages/" + Chrome.page + ".qml"
        }
    }

    Component.onCompleted: {
        visible = true
        requestActivate()
    }
}
