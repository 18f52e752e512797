pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../controls"

PageFrame {
    id: page

    title: qsTr("您想办什么事？")
    showExit: Chrome.inSession
    showHome: true
    spacing: 18

    TextBox {
        id: box
        Layout.fillWidth: true
        label: qsTr("搜索")
        keys: "search"
        value: SearchModel.query
        placeholder: qsTr("说要办的事，拼音首字母也行，如 jzz")
        maximumLength: 40
        onEdited: text => SearchModel.ask(text)
        Component.onCompleted: take()
    }

    Label {
        Layout.fillWidth: true
        visible: SearchModel.count === 0 && box.text !== ""
        text: qsTr("没有找到“%1”。换个说法试试，或点下面的“呼叫帮助”。").arg(box.text)
    }

    Repeater {
        model: SearchModel.results

        ItemRow {
            onClicked: SearchModel.open(code)
        }
    }
}
